import { describe, expect, test } from "vitest";
import { changesOf, copyOf, differs, withMoved, withoutRow, withPolicy, withRow, type RuleTable } from "./rules";

const TABLE: RuleTable = {
  hit_policy: "FIRST",
  aggregation: "",
  rules: ["a", "b", "c"].map((id) => ({ id, inputs: ["-"], outputs: [`"${id}"`], note: "" })),
};
const column = { id: "", label: "", expression: "", name: "", type: "", allowed: "" };
const ids = (table: RuleTable) => table.rules.map((rule) => rule.id);

describe("a table that is edited", () => {
  test("is another than the one it was copied from only when it is changed", () => {
    const copy = copyOf(TABLE);
    expect(differs(copy, TABLE)).toBe(false);
    copy.rules[0]!.inputs[0] = "> 5";
    expect(differs(copy, TABLE)).toBe(true);
    expect(TABLE.rules[0]!.inputs[0]).toBe("-");
  });

  test("takes an empty row where it is asked for", () => {
    const more = withRow(TABLE, 1, { inputs: [column], outputs: [column, column] });
    expect(ids(more)).toEqual(["a", "", "b", "c"]);
    expect(more.rules[1]).toEqual({ id: "", inputs: ["-"], outputs: ["", ""], note: "" });
  });

  test("loses a row, and moves one no further than to an end", () => {
    expect(ids(withoutRow(TABLE, 1))).toEqual(["a", "c"]);
    expect(ids(withMoved(TABLE, 2, -1))).toEqual(["a", "c", "b"]);
    expect(ids(withMoved(TABLE, 0, -1))).toEqual(["a", "b", "c"]);
  });

  test("adds up only what it collects", () => {
    const collecting = { ...withPolicy(TABLE, "COLLECT"), aggregation: "SUM" };
    expect(withPolicy(collecting, "FIRST").aggregation).toBe("");
  });
});

test("of two results only what differs is told", () => {
  expect(changesOf({ a: 1, b: 2 }, { a: 1, b: 3 })).toEqual([{ name: "b", before: 2, after: 3 }]);
  expect(changesOf("x", null)).toEqual([{ name: "", before: "x", after: null }]);
});
