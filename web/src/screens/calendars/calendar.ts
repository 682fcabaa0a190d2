/** A working calendar as it is edited: texts for dates and hours, as the server takes them. */
export interface CalendarDraft {
  zone: string;
  /** For Monday to Sunday, such as ["09:00-12:00", "13:00-18:00"]. */
  week: string[][];
  /** Last date for which holidays are known. */
  horizon: string;
  /** Date → what the day is called. */
  holidays: Record<string, string>;
  /** Make-up workdays. */
  workdays: string[];
  /** Dates with hours of their own. */
  hours: Record<string, string[]>;
  name: string;
  /** The version it was made from, 0 for a new calendar. */
  base: number;
  note: string;
}

export interface CalendarView extends Omit<CalendarDraft, "base"> {
  id: string;
  version: number;
  published_at: string;
  published_by: { id: string; name: string } | null;
  versions: {
    version: number;
    published_at: string;
    published_by: { id: string; name: string } | null;
    note: string;
  }[];
  /** Counts provisional due dates anew, "" for none. */
  batch: string;
}

export interface CalendarBrief {
  id: string;
  name: string;
  version: number;
  zone: string;
  horizon: string;
  units: { id: string; name: string }[];
}

export interface SuggestedDays {
  year: number;
  holidays: Record<string, string>;
  workdays: string[];
  published: boolean;
}

export interface AffectedDeadline {
  instance_id: string;
  business_key: string;
  title: string;
  element: { id: string; name: string };
  before: string;
  after: string;
  provisional: boolean;
  process: string;
}

export interface PublicationPlan {
  total: number;
  affected: AffectedDeadline[];
}

export interface UnitCalendar {
  unit: { id: string; name: string };
  own: string;
  calendar: string;
}

export type DayKind = "working" | "free" | "holiday" | "make_up" | "special";

export interface Day {
  date: string;
  kind: DayKind;
  name: string;
}

const DAY_MS = 86_400_000;

export function draftOf(view: CalendarView): CalendarDraft {
  return {
    zone: view.zone,
    week: view.week.map((hours) => [...hours]),
    horizon: view.horizon,
    holidays: { ...view.holidays },
    workdays: [...view.workdays],
    hours: { ...view.hours },
    name: view.name,
    base: view.version,
    note: "",
  };
}

/** 0 for Monday to 6 for Sunday. */
export function weekdayOf(date: string): number {
  return (new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7;
}

export function kindOf(draft: CalendarDraft, date: string): DayKind {
  if (date in draft.hours) return "special";
  if (draft.workdays.includes(date)) return "make_up";
  if (date in draft.holidays) return "holiday";
  return draft.week[weekdayOf(date)]?.length ? "working" : "free";
}

export function worksOn(draft: CalendarDraft, date: string): boolean {
  const kind = kindOf(draft, date);
  return kind === "special" ? (draft.hours[date]?.length ?? 0) > 0 : kind === "working" || kind === "make_up";
}

/** The months of a year; each begins with as many nulls as days lie between Monday and its first. */
export function monthsOf(draft: CalendarDraft, year: number): (Day | null)[][] {
  const months: (Day | null)[][] = [];
  for (let month = 0; month < 12; month++) {
    const days: (Day | null)[] = [];
    for (let at = Date.UTC(year, month, 1); new Date(at).getUTCMonth() === month; at += DAY_MS) {
      const date = new Date(at).toISOString().slice(0, 10);
      if (!days.length) days.push(...Array<null>(weekdayOf(date)).fill(null));
      days.push({ date, kind: kindOf(draft, date), name: draft.holidays[date] ?? "" });
    }
    months.push(days);
  }
  return months;
}

export function workingDays(draft: CalendarDraft, year: number): number {
  return monthsOf(draft, year)
    .flat()
    .filter((day) => day !== null && worksOn(draft, day.date)).length;
}

/** What a date is to be; its name counts for a holiday, its hours for a day with hours of its own. */
export function withDay(
  draft: CalendarDraft,
  date: string,
  kind: DayKind,
  name = "",
  hours: string[] = [],
): CalendarDraft {
  const holidays = Object.fromEntries(Object.entries(draft.holidays).filter(([day]) => day !== date));
  const special = Object.fromEntries(Object.entries(draft.hours).filter(([day]) => day !== date));
  const workdays = draft.workdays.filter((day) => day !== date);
  if (kind === "holiday") holidays[date] = name;
  if (kind === "special") special[date] = hours;
  if (kind === "make_up") workdays.push(date);
  return { ...draft, holidays, hours: special, workdays: workdays.sort() };
}

/** Take over the days of a year; what the draft said of that year's holidays and make-up days goes. */
export function withYear(draft: CalendarDraft, days: SuggestedDays): CalendarDraft {
  const elsewhere = (date: string) => !date.startsWith(`${days.year}-`);
  const end = `${days.year}-12-31`;
  return {
    ...draft,
    holidays: {
      ...Object.fromEntries(Object.entries(draft.holidays).filter(([date]) => elsewhere(date))),
      ...days.holidays,
    },
    workdays: [...draft.workdays.filter(elsewhere), ...days.workdays].sort(),
    horizon: days.published && end > draft.horizon ? end : draft.horizon,
  };
}

/** Hours as they are typed, such as "09:00-12:00 13:00-18:00". */
export function hoursOf(text: string): string[] {
  return text
    .replaceAll("–", "-")
    .split(/[\s,;\uff0c\uff1b\u3001]+/)
    .filter((span) => span);
}
