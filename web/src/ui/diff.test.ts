import { expect, test } from "vitest";
import { differences } from "./diff";

test("only changed, added and removed fields are shown, in order", () => {
  expect(
    differences({ amount: 68400, status: "open", gone: 1 }, { amount: 65000, status: "open", added: [1] }),
  ).toEqual([
    { name: "added", before: null, after: [1] },
    { name: "amount", before: 68400, after: 65000 },
    { name: "gone", before: 1, after: null },
  ]);
});

test("a state that was not there counts as empty", () => {
  expect(differences(null, { name: "x" })).toEqual([{ name: "name", before: null, after: "x" }]);
});
