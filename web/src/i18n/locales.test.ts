import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import chinese from "./zh-CN.json";
import english from "./en.json";

const SOURCES = join(import.meta.dirname, "..");

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.(?:vue|ts)$/.test(name) && !name.endsWith(".test.ts"))
    .map((name) => join(folder, name));
}

function keys(texts: object, prefix = ""): string[] {
  return Object.entries(texts).flatMap(([name, text]) =>
    typeof text === "string" ? [`${prefix}${name}`] : keys(text as object, `${prefix}${name}.`),
  );
}

function text(texts: unknown, key: string): string {
  return key.split(".").reduce((level, name) => (level as Record<string, unknown>)[name], texts) as string;
}

const code = files(SOURCES).map((path) => ({ path, source: readFileSync(path, "utf8") }));
const all = code.map(({ source }) => source).join("\n");

describe("the texts of the interface", () => {
  test("exist in both languages under the same keys", () => {
    expect(keys(english).sort()).toEqual(keys(chinese).sort());
  });

  test("take the same parameters in both languages", () => {
    const parameters = (sentence: string) => [...new Set(sentence.match(/{\w+}/g) ?? [])].sort();
    const different = keys(chinese).filter(
      (key) => parameters(text(chinese, key)).join() !== parameters(text(english, key)).join(),
    );
    expect(different).toEqual([]);
  });

  test("are all used: by their key, or by a key that is put together", () => {
    const prefixes = [...all.matchAll(/[`"]([a-z_.]+[._])\$\{/g)].map((match) => match[1] ?? "");
    const unused = keys(chinese).filter(
      (key) =>
        !new RegExp(`["'\`]${key.replaceAll(".", "\\.")}["'\`]`).test(all) &&
        !prefixes.some((prefix) => key.startsWith(prefix)),
    );
    expect(unused).toEqual([]);
  });

  test("exist for every key that the code names", () => {
    const named = [...all.matchAll(/\bt\(\s*"([a-z0-9_.]+)"/gi), ...all.matchAll(/\bt\(\s*'([a-z0-9_.]+)'/gi)].map(
      (match) => match[1] ?? "",
    );
    const known = new Set(keys(chinese));
    expect(named.length).toBeGreaterThan(150);
    expect(named.filter((key) => !known.has(key))).toEqual([]);
  });

  test("are never written into the code", () => {
    const withChinese = code
      .filter(({ source }) => /[\u3000-\u9fff\uff00-\uffef]/.test(source))
      .map(({ path }) => path);
    expect(withChinese).toEqual([]);
  });
});
