import chinese from "./findings.zh-CN.json";

const TABLES: Record<string, Record<string, string>> = { "zh-CN": chinese };

/**
 * What a finding of the model check means, in the reader's language; null where only the server's own English sentence,
 * which also has the particulars, says it.
 */
export function findingSentence(locale: string, code: string): string | null {
  return TABLES[locale]?.[code] ?? null;
}
