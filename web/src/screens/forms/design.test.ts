import { describe, expect, test } from "vitest";
import type { FormComponent, FormSchema } from "../../api/types";
import {
  copyOf,
  freshPart,
  isBeside,
  KINDS,
  nextPlace,
  partAt,
  parts,
  settingsOf,
  withBeside,
  withInserted,
  withMoved,
  withoutPart,
  withPart,
  withSetting,
} from "./design";

const text = (key: string): FormComponent => ({ id: `id_${key}`, type: "textfield", key, label: key });
const lines: FormComponent = {
  ...{ id: "id_lines", type: "dynamiclist", path: "lines", label: "lines" },
  components: [text("item"), text("price")],
};
const form: FormSchema = { type: "default", id: "purchase", components: [text("title"), lines, text("reason")] };
const keys = (schema: FormSchema) => parts(schema.components).map(({ part }) => part.key ?? part.path);

describe("the parts of a form", () => {
  test("are read in the order in which they are shown, those of lists inside of them", () => {
    expect(keys(form)).toEqual(["title", "lines", "item", "price", "reason"]);
    expect(partAt(form, [1, 1])?.key).toBe("price");
    expect(partAt(form, [7, 1])).toBeUndefined();
  });

  test("are changed, moved, put in and taken out without touching the form that there was", () => {
    const before = JSON.stringify(form);
    expect(keys(withMoved(form, [0], 1))).toEqual(["lines", "item", "price", "title", "reason"]);
    expect(keys(withMoved(form, [1, 0], 1))).toEqual(["title", "lines", "price", "item", "reason"]);
    expect(keys(withMoved(form, [0], -1))).toEqual(keys(form));
    expect(keys(withoutPart(form, [1, 0]))).toEqual(["title", "lines", "price", "reason"]);
    expect(keys(withInserted(form, [1, 2], text("unit")))).toEqual([
      "title",
      "lines",
      "item",
      "price",
      "unit",
      "reason",
    ]);
    expect(partAt(withPart(form, [2], text("why")), [2])?.key).toBe("why");
    expect(JSON.stringify(form)).toBe(before);
  });

  test("are added behind the chosen one, or into the list that is chosen", () => {
    expect(nextPlace(form, null, "textfield")).toEqual([3]);
    expect(nextPlace(form, [0], "textfield")).toEqual([1]);
    expect(nextPlace(form, [1], "textfield")).toEqual([1, 2]);
    expect(nextPlace(form, [1, 0], "number")).toEqual([1, 1]);
    expect(nextPlace(form, [1], "dynamiclist")).toEqual([2]);
  });

  test("have names that nothing else has, however many are added or copied", () => {
    let grown = form;
    for (const kind of KINDS) {
      grown = withInserted(grown, [grown.components.length], freshPart(grown, kind, kind));
      grown = withInserted(grown, [grown.components.length], freshPart(grown, kind, kind));
    }
    const copied = copyOf(grown, [1]);
    if (copied) grown = withInserted(grown, [2], copied);
    const ids = parts(grown.components).map(({ part }) => part.id);
    expect(new Set(ids).size).toBe(ids.length);
    const top = grown.components.map((part) => part.key ?? part.path).filter(Boolean);
    expect(new Set(top).size).toBe(top.length);
    // The columns of a copied list keep their keys: they are the list's own.
    expect(copied?.components?.map((part) => part.key)).toEqual(["item", "price"]);
    expect(copied?.path).toBe("lines_1");
  });
});

describe("the settings of a part", () => {
  test("are set and taken away by their dotted names, with what is empty then", () => {
    const required = withSetting(text("a"), "validate.required", true);
    expect(required.validate).toEqual({ required: true });
    expect(withSetting(required, "validate.required", false)).toEqual(text("a"));
    expect(withSetting(withSetting(required, "validate.min", 0), "validate.required", false).validate).toEqual({
      min: 0,
    });
  });

  test("are those of its kind", () => {
    const names = (part: FormComponent) => settingsOf(part).map(({ name }) => name);
    expect(names(text("a"))).toContain("validate.maxLength");
    expect(names({ type: "datetime", subtype: "time" })[0]).toBe("timeLabel");
    expect(names(lines)).toContain("properties.maxRows");
    expect(names({ type: "filepicker", properties: { kind: "signature" } })).not.toContain("accept");
  });
});

describe("rows", () => {
  test("hold the parts that stand beside each other", () => {
    const beside = withBeside(form, [1, 1], true);
    expect([isBeside(form, [1, 1]), isBeside(beside, [1, 1])]).toEqual([false, true]);
    expect(isBeside(withBeside(beside, [1, 1], false), [1, 1])).toBe(false);
    expect(isBeside(form, [0])).toBe(false);
  });
});
