import type { Finding } from "../api/types";

const PLACE = /\{(\w+)\}/g;
let chinese: Record<string, string> = {};

/** Have the sentences of a language at hand; English ones are the server's own. */
export async function loadFindings(locale: string): Promise<void> {
  if (locale === "zh-CN") chinese = (await import("./findings.zh-CN.json")).default;
}

/**
 * What a finding of the model check means, in the reader's language; null where only the server's own English sentence,
 * which also has the particulars, says it. A sentence with places in braces has the particulars itself.
 */
export function findingSentence(locale: string, finding: Pick<Finding, "code" | "details">): string | null {
  const sentence = locale === "zh-CN" ? chinese[finding.code] : undefined;
  return sentence?.replace(PLACE, (_, name: string) => finding.details[name] ?? "") ?? null;
}

/** Whether the reader's own sentence says all that the server's does. */
export const isComplete = (locale: string, code: string): boolean =>
  locale !== "zh-CN" || !(code in chinese) || new RegExp(PLACE.source).test(chinese[code] ?? "");
