import type { Json } from "../api/types";

/** A text by its key with parameters; what `t` of vue-i18n offers, so that pure code needs no vue-i18n. */
export type Translate = (key: string, params?: Record<string, unknown>) => string;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export function number(locale: string, value: number, digits = 0): string {
  return new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
}

/** A share 0..1 as a percentage with one decimal. */
export function percent(locale: string, share: number): string {
  return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }).format(share);
}

/** A span in the largest sensible unit: 45 s, 12 min, 14.1 h, 3.2 d. */
export function duration(t: Translate, locale: string, ms: number): string {
  if (ms < MINUTE_MS) return t("span.seconds", { n: number(locale, ms / 1000) });
  if (ms < HOUR_MS) return t("span.minutes", { n: number(locale, ms / MINUTE_MS) });
  if (ms < 2 * DAY_MS) return t("span.hours", { n: number(locale, ms / HOUR_MS, 1) });
  return t("span.days", { n: number(locale, ms / DAY_MS, 1) });
}

const sameYear = (a: Date, b: Date) => a.getFullYear() === b.getFullYear();
const two = (value: number) => String(value).padStart(2, "0");

/** Day in numbers, which reads the same in both languages: 11-26, with the year when it is not this one. */
export function day(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const short = `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return sameYear(at, now) ? short : `${at.getFullYear()}-${short}`;
}

export function clock(iso: string): string {
  const at = new Date(iso);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

export function clockWithSeconds(iso: string): string {
  return `${clock(iso)}:${two(new Date(iso).getSeconds())}`;
}

export function dayAndClock(iso: string, now = new Date()): string {
  return `${day(iso, now)} ${clock(iso)}`;
}

export function fileSize(locale: string, bytes: number): string {
  if (bytes < 1024) return `${number(locale, bytes)} B`;
  if (bytes < 1024 * 1024) return `${number(locale, bytes / 1024)} KB`;
  return `${number(locale, bytes / (1024 * 1024), 1)} MB`;
}

/** A process variable as a short text for people. Lists are counted, objects shown by their name or as JSON. */
export function value(t: Translate, locale: string, json: Json | undefined): string {
  if (json === null || json === undefined || json === "") return t("value.empty");
  if (typeof json === "boolean") return json ? t("value.yes") : t("value.no");
  if (typeof json === "number") return number(locale, json, 2);
  if (typeof json === "string") return json;
  if (Array.isArray(json)) {
    return json.every((item) => typeof item !== "object")
      ? json.map((item) => value(t, locale, item)).join(t("value.separator"))
      : t("value.rows", { n: json.length });
  }
  if (typeof json.name === "string") return json.name;
  return Object.entries(json)
    .map(([name, inner]) => `${name} = ${value(t, locale, inner)}`)
    .join(t("value.separator"));
}
