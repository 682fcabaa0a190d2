/*
 * Shows notices that come by Web Push, and opens their page when one is clicked. It keeps nothing and answers no requests
 * of pages; opening a page decides nothing.
 */

self.addEventListener("install", () => self.skipWaiting());

self.addEventListener("push", (event) => event.waitUntil(show(event.data.json())));

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.path));
});

async function show({ id, language, title, body, path, tag }) {
  // The same message may come twice, and must not ring twice; a later one about the same task takes its place and rings.
  const shown = await self.registration.getNotifications({ tag });
  const renotify = !shown.some((one) => one.data.id === id);
  await self.registration.showNotification(title, {
    body,
    lang: language,
    tag,
    renotify,
    icon: "/icon-192.png",
    badge: "/badge-96.png",
    data: { id, path },
  });
}

async function open(path) {
  const address = new URL(path, self.location.origin);
  if (address.origin !== self.location.origin) return;
  // A page that is open elsewhere stays as it is: somebody may be writing there.
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = pages.find((page) => page.url === address.href);
  await (there ? there.focus() : self.clients.openWindow(address.href));
}
