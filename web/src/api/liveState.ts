/**
 * What a tab knows about the live connection, and what follows from each thing that happens to it.
 *
 * Pure, so that the rules of hand-over can be tested without browsers: exactly one tab (the leader, chosen by a Web Lock)
 * holds the stream and republishes; every tab remembers the last position, so that the next leader resumes there.
 */
import type { QueryKey } from "@tanstack/vue-query";

export type Link = "live" | "connecting" | "offline";
export type ChangeKind =
  | "task.created"
  | "task.changed"
  | "task.closed"
  | "instance.changed"
  | "board.changed"
  | "notice.created"
  | "definition.deployed";

export interface LiveChange {
  seq: number;
  kind: ChangeKind;
  subject: string;
  process: string;
  at: string;
}

export interface LiveState {
  readonly link: Link;
  readonly leader: boolean;
  /** Position of the last change seen by this tab; -1 before the first. */
  readonly seq: number;
  /** Failed attempts in a row; decides how long the leader waits before the next one. */
  readonly failures: number;
}

export type LiveEvent =
  | { type: "elected" }
  | { type: "opened" }
  | { type: "failed" }
  | { type: "change"; change: LiveChange }
  | { type: "reset" }
  | { type: "heard-link"; link: Link; seq: number };

export type LiveEffect =
  | { do: "open"; after: number }
  | { do: "retry-in"; ms: number }
  | { do: "invalidate"; keys: QueryKey[] }
  | { do: "invalidate-all" }
  | { do: "publish"; event: LiveEvent };

export const initialLive: LiveState = { link: "connecting", leader: false, seq: -1, failures: 0 };

const RETRY_MS = [500, 1_000, 2_000, 5_000, 15_000];

/** The instance of a task: a task id is `<instance>-<token>`. */
export function instanceOf(task: string): string {
  const end = task.indexOf("-");
  return end < 0 ? task : task.slice(0, end);
}

/** Which cached answers a change makes stale. */
export function staleKeys(change: LiveChange): QueryKey[] {
  switch (change.kind) {
    case "task.created":
    case "task.changed":
    case "task.closed": {
      const instance = instanceOf(change.subject);
      return [
        ["tasks"],
        ["counts"],
        ["task", change.subject],
        ["instance", instance],
        ["timeline", instance],
        ["instance-audit", instance],
        ["instances"],
        ["processes"],
      ];
    }
    case "instance.changed":
      return [
        ["instance", change.subject],
        ["timeline", change.subject],
        ["instance-audit", change.subject],
        ["instances"],
        ["counts"],
        ["processes"],
      ];
    case "board.changed":
      return [
        ["board", change.process || change.subject],
        ["feed", change.process || change.subject],
      ];
    case "notice.created":
      return [["notices"], ["counts"]];
    case "definition.deployed":
      return [["processes"], ["process", change.process || change.subject], ["versions"], ["start-form"]];
    default: {
      const unknown: never = change.kind;
      void unknown;
      return [];
    }
  }
}

function linkSaid(state: LiveState): LiveEffect[] {
  return state.leader ? [{ do: "publish", event: { type: "heard-link", link: state.link, seq: state.seq } }] : [];
}

export function step(state: LiveState, event: LiveEvent): [LiveState, LiveEffect[]] {
  switch (event.type) {
    case "elected": {
      const next: LiveState = { ...state, leader: true, link: "connecting", failures: 0 };
      return [next, [{ do: "open", after: state.seq }]];
    }
    case "opened": {
      const next: LiveState = { ...state, link: "live", failures: 0 };
      // Back again without ever having heard a position: what happened meanwhile cannot be asked for.
      const missed: LiveEffect[] = state.failures > 0 && state.seq < 0 ? [{ do: "invalidate-all" }] : [];
      return [next, [...missed, ...linkSaid(next)]];
    }
    case "failed": {
      const failures = state.failures + 1;
      const ms = RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] ?? 15_000;
      const next: LiveState = { ...state, failures, link: failures > 3 ? "offline" : "connecting" };
      return [next, [{ do: "retry-in", ms }, ...linkSaid(next)]];
    }
    case "change": {
      // A new leader may be told again what this tab has seen already.
      if (event.change.seq <= state.seq) return [state, []];
      const next: LiveState = { ...state, seq: event.change.seq, link: "live" };
      const effects: LiveEffect[] = [{ do: "invalidate", keys: staleKeys(event.change) }];
      if (state.leader) effects.push({ do: "publish", event });
      return [next, effects];
    }
    case "reset": {
      const effects: LiveEffect[] = [{ do: "invalidate-all" }];
      if (state.leader) effects.push({ do: "publish", event });
      return [{ ...state, seq: -1 }, effects];
    }
    case "heard-link":
      return state.leader ? [state, []] : [{ ...state, link: event.link, seq: Math.max(state.seq, event.seq) }, []];
  }
}
