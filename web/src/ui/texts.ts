import { useI18n } from "vue-i18n";
import { problemKey, type Problem } from "../api/problems";
import type { Finding, Json, TimelineItem } from "../api/types";
import * as format from "../i18n/format";

function plain(params: Record<string, Json>, locale: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)
        ? format.dayAndClock(value)
        : typeof value === "number"
          ? format.number(locale, value, 2)
          : value !== null && typeof value === "object" && !Array.isArray(value) && "name" in value
            ? value.name
            : value,
    ]),
  );
}

/** Texts for what the server says by code, and values in the reader's language. */
export function useTexts() {
  const { t, te, locale } = useI18n();
  const tr: format.Translate = (key, params = {}) => t(key, params);

  function problemText(problem: Problem): string {
    const key = problemKey(problem.code);
    if (te(key)) {
      const waitMs = problem.details.retry_after_ms;
      const span = typeof waitMs === "number" ? format.duration(tr, locale.value, waitMs) : "";
      // Some are told better when it is known who did it: "already done by …".
      return t(problem.details.by && te(`${key}_by`) ? `${key}_by` : key, { ...plain(problem.details, locale.value), span });
    }
    if (problem.status === 403) return t("errors.permission_denied");
    return problem.title || t("errors.unknown");
  }

  function timelineText(item: TimelineItem): string {
    const key = `timeline.${item.kind.replaceAll(".", "_")}`;
    const params = {
      actor: item.actor?.name ?? t("common.system"),
      element: item.element?.name || item.element?.id || "",
      ...plain(item.params, locale.value),
    };
    return te(key) ? t(key, params) : t("timeline.other", { kind: item.kind, element: params.element });
  }

  function findingText(finding: Finding): string {
    const key = `findings.${finding.code.replaceAll(".", "_")}`;
    return te(key) ? t(key, { ...finding.details, element: finding.element }) : finding.message;
  }

  return {
    t,
    te,
    locale,
    problemText,
    timelineText,
    findingText,
    duration: (ms: number) => format.duration(tr, locale.value, ms),
    number: (value: number, digits = 0) => format.number(locale.value, value, digits),
    percent: (share: number) => format.percent(locale.value, share),
    value: (json: Json | undefined) => format.value(tr, locale.value, json),
    fileSize: (bytes: number) => format.fileSize(locale.value, bytes),
    since: (iso: string) => format.duration(tr, locale.value, Math.max(0, Date.now() - Date.parse(iso))),
    dayAndClock: (iso: string) => format.dayAndClock(iso),
    clock: (iso: string) => format.clock(iso),
    clockWithSeconds: (iso: string) => format.clockWithSeconds(iso),
  };
}
