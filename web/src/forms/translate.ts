import type { Locale } from "../api/types";
import chinese from "./form-js.zh-CN.json";

const TABLES: Partial<Record<Locale, Record<string, string>>> = { "zh-CN": chinese };

/** form-js speaks English; this gives its sentences in the reader's language. Sentences without one stay as they are. */
export function formTranslate(locale: Locale) {
  const table = TABLES[locale] ?? {};
  return (template: string, replacements: Record<string, string> = {}): string =>
    (table[template] ?? template).replace(/{([^}]+)}/g, (whole, name: string) => replacements[name] ?? whole);
}
