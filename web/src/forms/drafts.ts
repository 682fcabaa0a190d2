import type { Variables } from "../api/types";

const PREFIX = "noria.draft.";

interface Draft {
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

export function keepDraft(person: string, what: string, data: Variables, at: Date): void {
  try {
    localStorage.setItem(`${PREFIX}${person}.${what}`, JSON.stringify({ at: at.toISOString(), data } satisfies Draft));
  } catch {
    // The browser's storage is full or forbidden; the form itself still holds the data.
  }
}

export function dropDraft(person: string, what: string): void {
  localStorage.removeItem(`${PREFIX}${person}.${what}`);
}
