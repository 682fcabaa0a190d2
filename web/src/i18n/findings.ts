let chinese: Record<string, string> = {};

/** Have the sentences of a language at hand; English ones are the server's own. */
export async function loadFindings(locale: string): Promise<void> {
  if (locale === "zh-CN") chinese = (await import("./findings.zh-CN.json")).default;
}

/**
 * What a finding of the model check means, in the reader's language; null where only the server's own English sentence,
 * which also has the particulars, says it.
 */
export function findingSentence(locale: string, code: string): string | null {
  return locale === "zh-CN" ? (chinese[code] ?? null) : null;
}
