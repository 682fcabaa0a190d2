import { api } from "./api/client";
import type { Devices } from "./api/types";
import { PUSH_OWNER } from "./session";

/** What this browser can do, and does, about notices that come while no page is open. */
export type PushState = "unsupported" | "install_first" | "denied" | "off" | "on";

const ID_CHARS = 22;

function base64url(bytes: ArrayBuffer | Uint8Array): string {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** The server's id of a device: it tells nobody where messages for it are posted. */
export async function deviceId(endpoint: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(endpoint));
  return base64url(digest).slice(0, ID_CHARS);
}

const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdgA?\//, "Edge"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bHuaweiBrowser\//, "Huawei Browser"],
  [/\bMiuiBrowser\//, "Mi Browser"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bOPR\//, "Opera"],
  [/\bChrome\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const MACHINES: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b/, "Mac"],
  [/\bLinux\b/, "Linux"],
];

/** What a person will know the device by. */
export function deviceName(agent: string): string {
  const first = (names: typeof BROWSERS) => names.find(([sign]) => sign.test(agent))?.[1];
  return [first(BROWSERS) ?? "Browser", first(MACHINES)].filter(Boolean).join(" · ");
}

/** Safari on iPhone and iPad receives notices only for pages that were put on the home screen. */
const installsFirst = () =>
  /\b(?:iPhone|iPad)\b/.test(navigator.userAgent) && !matchMedia("(display-mode: standalone)").matches;

async function subscription(): Promise<PushSubscription | null> {
  const worker = await navigator.serviceWorker.getRegistration("/");
  return (await worker?.pushManager.getSubscription()) ?? null;
}

/** The id that this browser has, when it is among devices. */
export async function ownDevice(devices: Devices): Promise<string> {
  if (!("serviceWorker" in navigator)) return "";
  const own = await subscription();
  const id = own ? await deviceId(own.endpoint) : "";
  return devices.items.some((device) => device.id === id) ? id : "";
}

export async function pushState(devices: Devices): Promise<PushState> {
  // Pages served over plain HTTP from another machine have no service workers.
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window))
    return installsFirst() ? "install_first" : "unsupported";
  if (Notification.permission === "denied") return "denied";
  return (await ownDevice(devices)) ? "on" : "off";
}

/** Ask the person, subscribe, and tell the server; `false` when the person declines. To be called by a click. */
export async function turnOn(
  publicKey: string,
  person: string,
  words: { title: string; body: string },
): Promise<boolean> {
  if ((await Notification.requestPermission()) !== "granted") return false;
  await navigator.serviceWorker.register("/sw.js");
  const worker = await navigator.serviceWorker.ready;
  await register(worker, publicKey, person);
  // What the system hides although the browser may show it is seen now, and not when it matters.
  await worker.showNotification(words.title, {
    body: words.body,
    icon: "/icon-192.png",
    badge: "/badge-96.png",
    data: { id: "on", path: "/settings/notices" },
  });
  return true;
}

async function register(worker: ServiceWorkerRegistration, publicKey: string, person: string): Promise<void> {
  const before = await worker.pushManager.getSubscription();
  const key = before?.options.applicationServerKey;
  // A subscription with another key takes nothing from this server, and would be in the way of a new one.
  if (before && (!key || base64url(key) !== publicKey)) await before.unsubscribe();
  const made = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(publicKey) });
  const [p256dh, auth] = [made.getKey("p256dh"), made.getKey("auth")];
  if (!p256dh || !auth) throw new Error("The browser gave no keys.");
  await api.post("/notices/devices", {
    name: deviceName(navigator.userAgent),
    endpoint: made.endpoint,
    p256dh: base64url(p256dh),
    auth: base64url(auth),
    key: publicKey,
  });
  localStorage.setItem(PUSH_OWNER, JSON.stringify({ person, id: await deviceId(made.endpoint) }));
}

/** Stop here; the server is told by whoever calls, or by the push service when something should be sent. */
export async function stopHere(): Promise<void> {
  localStorage.removeItem(PUSH_OWNER);
  await (await subscription())?.unsubscribe();
}

/** Before somebody signs out: notices are not shown to whoever uses the browser next. */
export async function stopBeforeSigningOut(): Promise<void> {
  const own = await subscription();
  if (!own) return;
  const id = await deviceId(own.endpoint);
  await stopHere();
  // It may have been removed from another device; whatever is left there is forgotten at the next message.
  await api.delete(`/notices/devices/${id}`).catch(() => undefined);
}

/** After somebody signed in: what was another person's stops, what the browser has renewed is told to the server. */
export async function settle(person: string): Promise<void> {
  const kept = localStorage.getItem(PUSH_OWNER);
  if (!kept || !("serviceWorker" in navigator)) return;
  const owner = JSON.parse(kept) as { person: string; id: string };
  if (owner.person !== person) return stopHere();
  const own = await subscription();
  if (own && (await deviceId(own.endpoint)) === owner.id) return;
  const worker = await navigator.serviceWorker.getRegistration("/");
  if (!worker || Notification.permission !== "granted") return localStorage.removeItem(PUSH_OWNER);
  const { public_key } = await api.get<Devices>("/notices/devices");
  if (public_key) await register(worker, public_key, person);
}
