import type { QueryKey } from "@tanstack/vue-query";
import { computed, shallowRef } from "vue";
import { address } from "./client";
import { initialLive, step, type LiveChange, type LiveEvent } from "./liveState";
import { queryClient } from "./queries";

/** Changes come in bursts (one command moves several things); one refetch per burst is enough. */
const GATHER_MS = 200;

const state = shallowRef(initialLive);
export const liveLink = computed(() => state.value.link);

let stop: (() => void) | null = null;
let reconnect: () => void = () => undefined;

/** Follow the server's changes for the signed-in person until `stopLive`. */
export function startLive(person: string): void {
  stopLive();
  state.value = initialLive;
  const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(`noria-live-${person}`);
  const leaving = new AbortController();
  const stale = new Map<string, QueryKey>();
  let source: EventSource | null = null;
  let retryTimer = 0;
  let gatherTimer = 0;

  const flush = () => {
    gatherTimer = 0;
    for (const queryKey of stale.values()) void queryClient.invalidateQueries({ queryKey });
    stale.clear();
  };

  const dispatch = (event: LiveEvent) => {
    const [next, effects] = step(state.value, event);
    state.value = next;
    for (const effect of effects) {
      switch (effect.do) {
        case "open":
          open(effect.after);
          break;
        case "retry-in":
          window.clearTimeout(retryTimer);
          retryTimer = window.setTimeout(() => open(state.value.seq), effect.ms);
          break;
        case "invalidate":
          for (const key of effect.keys) stale.set(JSON.stringify(key), key);
          gatherTimer ||= window.setTimeout(flush, GATHER_MS);
          break;
        case "invalidate-all":
          void queryClient.invalidateQueries();
          break;
        case "publish":
          channel?.postMessage(effect.event);
          break;
      }
    }
  };

  const open = (after: number) => {
    source?.close();
    if (leaving.signal.aborted) return;
    const stream = new EventSource(address("/stream", { after: after < 0 ? undefined : after }));
    source = stream;
    stream.addEventListener("open", () => dispatch({ type: "opened" }));
    stream.addEventListener("change", (message: MessageEvent<string>) => {
      dispatch({ type: "change", change: JSON.parse(message.data) as LiveChange });
    });
    stream.addEventListener("reset", () => dispatch({ type: "reset" }));
    stream.addEventListener("error", () => {
      // The browser's own reconnect would ask again with the position of the first call; ask with the last one instead.
      stream.close();
      dispatch({ type: "failed" });
    });
  };

  if (channel) {
    channel.onmessage = (message: MessageEvent<LiveEvent | { type: "hello" }>) => {
      if (message.data.type !== "hello") dispatch(message.data);
      else if (state.value.leader) {
        channel.postMessage({ type: "heard-link", link: state.value.link, seq: state.value.seq } satisfies LiveEvent);
      }
    };
    channel.postMessage({ type: "hello" });
  }

  const lead = () =>
    new Promise<void>((resolve) => {
      leaving.signal.addEventListener("abort", () => resolve());
      dispatch({ type: "elected" });
    });
  // Locks exist only on https and on the local machine; elsewhere every tab follows for itself.
  if (channel && "locks" in navigator) {
    navigator.locks.request(`noria-live-${person}`, { signal: leaving.signal }, lead).catch((error: unknown) => {
      if (!leaving.signal.aborted) throw error;
    });
  } else void lead();

  reconnect = () => {
    if (state.value.leader && state.value.link !== "live") open(state.value.seq);
    void queryClient.invalidateQueries();
  };
  stop = () => {
    leaving.abort();
    source?.close();
    channel?.close();
    window.clearTimeout(retryTimer);
    window.clearTimeout(gatherTimer);
  };
}

export function stopLive(): void {
  stop?.();
  stop = null;
}

/** The person asks to try again now. */
export function retryLive(): void {
  reconnect();
}
