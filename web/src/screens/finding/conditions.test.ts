import { describe, expect, test } from "vitest";
import type { FilterField } from "../../api/types";
import {
  addressOf,
  addressOfFilter,
  conditionsIn,
  isEmpty,
  NO_CONDITIONS,
  operatorsOf,
  parseCondition,
  readable,
  writeCondition,
} from "./conditions";

const amount: FilterField = { name: "amount", label: "金额", type: "number", choices: [] };
const category: FilterField = { name: "category", label: "类别", type: "text", choices: [["material", "原材料"]] };

describe("conditions on fields", () => {
  test.each([
    ["amount>=5000", { name: "amount", operator: ">=", value: "5000" }],
    ["amount > 5000", { name: "amount", operator: ">", value: "5000" }],
    ["supplier~上海 = 精工", { name: "supplier", operator: "~", value: "上海 = 精工" }],
    ["buyer.name=林", { name: "buyer.name", operator: "=", value: "林" }],
  ])("%s is taken apart, and put together again", (text, condition) => {
    const found = parseCondition(text);
    expect(found).toEqual(condition);
    expect(found && parseCondition(writeCondition(found))).toEqual(condition);
  });

  test.each(["", "amount", "amount>=", "=5", "~"])("%j is no condition", (text) => {
    expect(parseCondition(text)).toBeUndefined();
  });

  test("a condition reads as the form speaks of it", () => {
    expect(readable("amount>=5000", [amount], "has")).toBe("金额 ≥ 5000");
    expect(readable("category=material", [category], "has")).toBe("类别 = 原材料");
    expect(readable("gone~x", [], "has")).toBe("gone has x");
    expect(readable("what is this", [], "has")).toBe("what is this");
  });

  test("fields are compared by signs that mean something for them", () => {
    expect(operatorsOf(amount)).toContain(">=");
    expect(operatorsOf(category)).toEqual(["="]);
    expect(operatorsOf({ type: "text", choices: [] })).toEqual(["~", "="]);
  });
});

describe("conditions in an address", () => {
  test("they come back as they went in", () => {
    const conditions = { starter: "lin", holder: "", actor: "wang", field: ["amount>=5", "title~泵"] };
    expect(conditionsIn(JSON.parse(JSON.stringify(addressOf(conditions))) as never)).toEqual(conditions);
    expect(conditionsIn({})).toEqual(NO_CONDITIONS);
    expect(conditionsIn({ field: "amount>=5" }).field).toEqual(["amount>=5"]);
  });

  test("nothing is nothing", () => {
    expect(isEmpty(NO_CONDITIONS)).toBe(true);
    expect(isEmpty({ ...NO_CONDITIONS, actor: "lin" })).toBe(false);
  });

  test("a saved filter is an address that leaves out what is usual", () => {
    expect(addressOfFilter({ q: "泵", status: "all", field: ["amount>5"] })).toEqual({
      q: "泵",
      process: undefined,
      status: undefined,
      starter: undefined,
      holder: undefined,
      actor: undefined,
      field: ["amount>5"],
    });
  });
});
