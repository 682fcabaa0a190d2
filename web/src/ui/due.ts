import { clock, day } from "../i18n/format";

export type DueTone = "late" | "soon" | "later";
export interface Due {
  readonly tone: DueTone;
  /** Key of the text with its parameters. */
  readonly key: string;
  readonly params: Record<string, string | number>;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function startOfDay(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** How to say until when something is due: late by how much, today at what time, tomorrow, or the day. */
export function dueText(dueAt: string, now: Date): Due {
  const due = new Date(dueAt);
  const lateMs = now.getTime() - due.getTime();
  if (lateMs > 0) {
    if (lateMs < HOUR_MS) {
      return { tone: "late", key: "due.late_minutes", params: { n: Math.max(1, Math.floor(lateMs / MINUTE_MS)) } };
    }
    if (lateMs < 2 * DAY_MS)
      return { tone: "late", key: "due.late_hours", params: { n: Math.floor(lateMs / HOUR_MS) } };
    return { tone: "late", key: "due.late_days", params: { n: Math.floor(lateMs / DAY_MS) } };
  }
  // Rounded, because a day may have 23 or 25 hours.
  const days = Math.round((startOfDay(due) - startOfDay(now)) / DAY_MS);
  if (days === 0) return { tone: "soon", key: "due.today", params: { clock: clock(dueAt) } };
  if (days === 1) return { tone: "later", key: "due.tomorrow", params: {} };
  return { tone: "later", key: "due.day", params: { day: day(dueAt, now) } };
}
