import { shallowRef } from "vue";
import { createI18n } from "vue-i18n";
import type { Language } from "element-plus/es/locale/index.mjs";
import type { Locale } from "../api/types";
import { loadFindings } from "./findings";

const STORED_AS = "noria.locale";
export const LOCALES: readonly Locale[] = ["zh-CN", "en"];

type Texts = Parameters<typeof i18n.global.setLocaleMessage>[1];

export const i18n = createI18n<false>({
  legacy: false,
  locale: "zh-CN",
  fallbackLocale: false,
  messages: {},
});

/** Texts of the component library in the current language. */
export const libraryLocale = shallowRef<Language>();

async function load(locale: Locale): Promise<[Texts, Language]> {
  if (locale === "en") {
    const [own, library] = await Promise.all([import("./en.json"), import("element-plus/es/locale/lang/en.mjs")]);
    return [own.default as unknown as Texts, library.default];
  }
  const [own, library] = await Promise.all([import("./zh-CN.json"), import("element-plus/es/locale/lang/zh-cn.mjs")]);
  return [own.default as unknown as Texts, library.default];
}

export function currentLocale(): Locale {
  return i18n.global.locale.value as Locale;
}

export function rememberedLocale(): Locale | null {
  const stored = localStorage.getItem(STORED_AS);
  return LOCALES.find((locale) => locale === stored) ?? null;
}

/** What to speak before anybody signed in. */
export function firstLocale(): Locale {
  return rememberedLocale() ?? (navigator.language.startsWith("en") ? "en" : "zh-CN");
}

export async function setLocale(locale: Locale, remember = false): Promise<void> {
  const [[own, library]] = await Promise.all([load(locale), loadFindings(locale)]);
  i18n.global.setLocaleMessage(locale, own);
  i18n.global.locale.value = locale;
  libraryLocale.value = library;
  document.documentElement.lang = locale;
  if (remember) localStorage.setItem(STORED_AS, locale);
}
