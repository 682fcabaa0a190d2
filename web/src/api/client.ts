import { asProblem, Problem, problemFrom } from "./problems";

type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;
type Method = "GET" | "POST" | "PUT" | "DELETE";
interface Options {
  query?: Query;
  /** Sent as JSON, or as it is when it is FormData. */
  body?: unknown;
  signal?: AbortSignal;
  /** Repeat of the same wish: the server answers the second time as the first. */
  idempotencyKey?: string;
}

let csrfToken = "";
let onSessionLost: () => void = () => undefined;

export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** Called when a request that needs a session is told that there is none any more. */
export function whenSessionIsLost(handler: () => void): void {
  onSessionLost = handler;
}

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const one of value as readonly string[]) search.append(name, one);
    else if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  const tail = search.toString();
  return `/api${path}${tail ? `?${tail}` : ""}`;
}

/** A UUID also where `crypto.randomUUID` is missing (pages served over plain HTTP from another machine). */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

async function send(method: Method, path: string, options: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json, application/problem+json" };
  const isForm = options.body instanceof FormData;
  if (options.body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  if (method !== "GET") {
    headers["X-CSRF-Token"] = csrfToken;
    headers["Idempotency-Key"] = options.idempotencyKey ?? newKey();
  }
  let answer: Response;
  try {
    answer = await fetch(address(path, options.query), {
      method,
      headers,
      credentials: "same-origin",
      ...(options.body === undefined
        ? {}
        : { body: isForm ? (options.body as FormData) : JSON.stringify(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "network.unreachable", asProblem(error).title);
  }
  if (answer.ok) return answer;
  const problem = problemFrom(
    answer.status,
    await answer.json().catch(() => null),
    answer.headers.get("X-Request-Id") ?? "",
  );
  if (problem.status === 401 && path !== "/session") onSessionLost();
  throw problem;
}

async function json<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  const answer = await send(method, path, options);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export const api = {
  get: <T>(path: string, query: Query = {}, signal?: AbortSignal) =>
    json<T>("GET", path, { query, ...(signal ? { signal } : {}) }),
  post: <T>(path: string, body: unknown = {}, options: Omit<Options, "body"> = {}) =>
    json<T>("POST", path, { ...options, body }),
  put: <T>(path: string, body: unknown) => json<T>("PUT", path, { body }),
  delete: <T>(path: string) => json<T>("DELETE", path),
  text: async (path: string, query: Query = {}, signal?: AbortSignal) =>
    (await send("GET", path, { query, ...(signal ? { signal } : {}) })).text(),
  file: async (path: string, query: Query = {}) => (await send("GET", path, { query })).blob(),
};
