import type { AuditEntry } from "../../api/types";

export type ChainState =
  | { readonly kind: "linked"; readonly links: number }
  | { readonly kind: "broken"; readonly stream: string; readonly seq: number };

/**
 * Whether neighbouring entries of each stream are linked by their hashes, as far as these entries show.
 *
 * Only pairs with consecutive numbers can be compared; the whole chain is proved by the server's own verification.
 */
export function chainState(entries: readonly AuditEntry[]): ChainState {
  const streams = new Map<string, AuditEntry[]>();
  for (const entry of entries) streams.set(entry.stream, [...(streams.get(entry.stream) ?? []), entry]);
  let links = 0;
  for (const [stream, list] of streams) {
    list.sort((a, b) => a.seq - b.seq);
    for (let at = 1; at < list.length; at += 1) {
      const before = list[at - 1];
      const entry = list[at];
      if (!before || !entry || entry.seq !== before.seq + 1) continue;
      if (entry.prev !== before.hash) return { kind: "broken", stream, seq: entry.seq };
      links += 1;
    }
  }
  return { kind: "linked", links };
}
