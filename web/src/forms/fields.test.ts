import { describe, expect, test } from "vitest";
import type { FormSchema } from "../api/types";
import { fieldsOf, placeErrors, topKeys, withDraft } from "./fields";

const schema: FormSchema = {
  type: "default",
  components: [
    { type: "group", id: "g", components: [{ type: "textfield", id: "f1", key: "supplier", readonly: true }] },
    {
      type: "dynamiclist",
      id: "rows",
      path: "items",
      components: [{ type: "number", id: "f2", key: "quantity" }],
    },
    { type: "textarea", id: "f3", key: "note" },
    { type: "text", id: "t" },
  ],
};

describe("the fields of a form", () => {
  test("are found in groups and rows, with their path", () => {
    expect(fieldsOf(schema.components).map(({ path }) => path.join("."))).toEqual([
      "supplier",
      "items.quantity",
      "note",
    ]);
    expect(topKeys(schema)).toEqual(new Set(["supplier", "items", "note"]));
  });

  test("take the server's errors, also those of a row, in either spelling", () => {
    const { placed, left } = placeErrors(schema, {
      note: "short",
      "items[1].quantity": "big",
      "items.2.quantity": "none",
      total: "odd",
    });
    expect(placed).toEqual([
      { path: ["f3"], text: "short" },
      { path: ["f2", 1], text: "big" },
      { path: ["f2", 2], text: "none" },
    ]);
    expect(left).toEqual(["odd"]);
  });

  test("keep a draft only where the form may still change", () => {
    const shown = withDraft(schema, { supplier: "new", note: "" }, { supplier: "old", note: "draft", other: 1 });
    expect(shown).toEqual({ supplier: "new", note: "draft" });
  });
});
