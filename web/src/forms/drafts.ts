import { api } from "../api/client";
import type { Variables } from "../api/types";

const PREFIX = "noria.draft.";
/** To the server less often than to the browser: what is typed meanwhile is in the browser already. */
const TO_SERVER_MS = 1_500;

export interface Draft {
  at: string;
  data: Variables;
}

/** Unsent form data of one person, kept in this browser until it is sent or thrown away. */
export function readDraft(person: string, what: string): Draft | null {
  try {
    const text = localStorage.getItem(`${PREFIX}${person}.${what}`);
    return text === null ? null : (JSON.parse(text) as Draft);
  } catch {
    return null; // not readable any more: as good as none
  }
}

/** What the person has kept on another device, when it is newer than what is here; null else. */
export async function newerDraft(person: string, what: string): Promise<Draft | null> {
  const kept = await api.get<Draft | { at: null; data: null }>(`/drafts/${encodeURIComponent(what)}`).catch(() => null);
  if (!kept?.at) return null; // none, or the server cannot be asked now: what is here stands
  const here = readDraft(person, what);
  return here && here.at >= kept.at ? null : kept;
}

const timers = new Map<string, number>();

export function keepDraft(person: string, what: string, data: Variables, at: Date): void {
  try {
    localStorage.setItem(`${PREFIX}${person}.${what}`, JSON.stringify({ at: at.toISOString(), data } satisfies Draft));
  } catch {
    // The browser's storage is full or forbidden; the form itself still holds the data.
  }
  window.clearTimeout(timers.get(what));
  timers.set(
    what,
    window.setTimeout(() => {
      timers.delete(what);
      // Not kept there is kept here all the same; the next change tries again.
      api.put(`/drafts/${encodeURIComponent(what)}`, { data }).catch(() => undefined);
    }, TO_SERVER_MS),
  );
}

export function dropDraft(person: string, what: string): void {
  localStorage.removeItem(`${PREFIX}${person}.${what}`);
  window.clearTimeout(timers.get(what));
  timers.delete(what);
  // One that is left there belongs to a task that is closed, and cannot be opened any more.
  api.delete(`/drafts/${encodeURIComponent(what)}`).catch(() => undefined);
}
