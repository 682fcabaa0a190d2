import { useI18n } from "vue-i18n";
import { fieldErrors, problemKey, type Problem } from "../api/problems";
import type { Finding, Json, PersonRef, TimelineItem } from "../api/types";
import { findingSentence } from "../i18n/findings";
import * as format from "../i18n/format";

function plain(params: Record<string, Json>, locale: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)
        ? format.dayAndClock(value)
        : typeof value === "number"
          ? format.number(locale, value, 2)
          : Array.isArray(value)
            ? new Intl.ListFormat(locale).format(value.map(String))
            : value !== null && typeof value === "object" && "name" in value
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
    const permission = `permissions.${String(problem.details.action ?? "").replaceAll(".", "_")}`;
    if (problem.status === 403 && te(permission)) return t("errors.permission_needed", { permission: t(permission) });
    const key = problemKey(problem.code);
    if (te(key)) {
      const waitMs = problem.details.retry_after_ms;
      const span = typeof waitMs === "number" ? format.duration(tr, locale.value, waitMs) : "";
      // Some are told better when it is known who did it: "already done by …".
      return t(problem.details.by && te(`${key}_by`) ? `${key}_by` : key, {
        ...plain(problem.details, locale.value),
        span,
      });
    }
    if (problem.status === 403) return t("errors.permission_denied");
    return problem.title || t("errors.unknown");
  }

  /** Why single fields were refused: path to sentence. */
  function fieldTexts(problem: Problem): Record<string, string> {
    return Object.fromEntries(
      Object.entries(fieldErrors(problem)).map(([path, { code, message, details }]) => {
        const key = `fields.${code.replaceAll(".", "_")}`;
        return [path, te(key) ? t(key, plain(details, locale.value)) : message];
      }),
    );
  }

  /** A person's name; machines, which have none, by what they are; a substitute with whom they stood in for. */
  /** Who did it, and for whom; `via` is who is between a substitute's substitute and that one, from that one's side. */
  function actorName(actor: PersonRef | null, owner: PersonRef | null = null, via: readonly PersonRef[] = []): string {
    if (!actor) return t("common.system");
    if (owner)
      return [...via, actor].reduce(
        (whom, next) => t("substitutes.for", { actor: next.name, owner: whom }),
        owner.name,
      );
    const key = `actors.${actor.id}`;
    return actor.id === actor.name && te(key) ? t(key) : actor.name;
  }

  /** The name of a role or candidate group; groups of one's own are shown by their key. */
  function groupName(group: string): string {
    return te(`roles.${group}`) ? t(`roles.${group}`) : group;
  }

  function actionName(action: string): string {
    const key = `actions.${action.replaceAll(".", "_")}`;
    return te(key) ? t(key) : action;
  }

  function timelineText(item: TimelineItem): string {
    const key = `timeline.${item.kind.replaceAll(".", "_")}`;
    const params = {
      actor: actorName(item.actor, item.on_behalf_of, item.via),
      element: item.element?.name || item.element?.id || "",
      ...plain(item.params, locale.value),
    };
    return te(key) ? t(key, params) : t("timeline.other", { kind: item.kind, element: params.element });
  }

  function findingText(finding: Finding): string {
    return findingSentence(locale.value, finding) ?? finding.message;
  }

  return {
    t,
    te,
    locale,
    problemText,
    fieldTexts,
    actorName,
    groupName,
    actionName,
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
