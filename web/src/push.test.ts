// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { bytesOf, deviceId, deviceName, pushState, settle } from "./push";
import { PUSH_OWNER } from "./session";

const NONE = { public_key: "BA", items: [] };

test("a device has the id that the server gives it", async () => {
  expect(await deviceId("https://fcm.googleapis.com/fcm/send/x")).toBe("JVNF4L7-8zEuC5cesNvMLB");
});

test.each([
  [
    "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36",
    "Chrome · Android",
  ],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0",
    "Edge · Windows",
  ],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox · Linux"],
  [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile Safari/604.1",
    "Safari · iPhone",
  ],
  ["Something else", "Browser"],
])("a browser is named as people know it: %s", (agent, name) => {
  expect(deviceName(agent)).toBe(name);
});

test("a key of base64url becomes its bytes", () => {
  expect([...bytesOf("-_8")]).toEqual([251, 255]);
});

test("a browser without service workers says so", async () => {
  expect(await pushState(NONE)).toBe("unsupported");
});

const unsubscribe = vi.fn(() => Promise.resolve(true));
const endpoint = "https://fcm.googleapis.com/fcm/send/x";
beforeEach(() => {
  const pushManager = { getSubscription: () => Promise.resolve({ endpoint, unsubscribe }) };
  vi.stubGlobal("navigator", { serviceWorker: { getRegistration: () => Promise.resolve({ pushManager }) } });
});
afterEach(() => {
  vi.unstubAllGlobals();
  localStorage.clear();
  unsubscribe.mockClear();
});

test("somebody else who signs in is not shown another person's notices", async () => {
  localStorage.setItem(PUSH_OWNER, JSON.stringify({ person: "lin", id: await deviceId(endpoint) }));
  await settle("lin");
  expect(unsubscribe).not.toHaveBeenCalled();
  await settle("wang");
  expect(unsubscribe).toHaveBeenCalledOnce();
  expect(localStorage.getItem(PUSH_OWNER)).toBeNull();
});
