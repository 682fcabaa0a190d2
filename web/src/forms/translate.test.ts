import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { formTranslate } from "./translate";

test("a sentence is translated with its parameters", () => {
  expect(formTranslate("zh-CN")("Field must have minimum value of {value}.", { value: "3" })).toMatch(/3/);
  expect(formTranslate("en")("Field must have minimum value of {value}.", { value: "3" })).toBe(
    "Field must have minimum value of 3.",
  );
});

test("every sentence of the form library that people meet has a translation", () => {
  const library = readFileSync("node_modules/@bpmn-io/form-js-viewer/dist/index.es.js", "utf8");
  const sentences = new Set(
    [...library.matchAll(/translate\(\s*(?:'([^']+)'|"([^"]+)")/g)].map((match) => match[1] ?? match[2] ?? ""),
  );
  // Of the file field, which is ours; of a programmer's mistake; and of the library's own documentation.
  const notMet = [
    "No files selected",
    "{value} files selected",
    "binding path '{value}' is already claimed",
    "HELLO {you}",
  ];
  const translate = formTranslate("zh-CN");
  const missing = [...sentences].filter((sentence) => !notMet.includes(sentence) && translate(sentence) === sentence);
  expect(sentences.size).toBeGreaterThan(30);
  expect(missing).toEqual([]);
});
