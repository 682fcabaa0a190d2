import { expect, test } from "vitest";
import { inputModeOf } from "./keyboard";

const schema = {
  type: "default",
  components: [
    { id: "f_amount", key: "amount", type: "number", validate: { min: 0.01 } },
    { id: "f_change", key: "change", type: "number" },
    { id: "f_mail", key: "mail", type: "textfield", validate: { validationType: "email" } },
    { id: "f_phone", key: "phone", type: "textfield", validate: { validationType: "phone" } },
    { id: "f_reason", key: "reason", type: "textfield" },
    {
      id: "rows",
      type: "dynamiclist",
      path: "lines",
      components: [{ id: "f_count_2", key: "count", type: "number", decimalDigits: 0, validate: { min: 1 } }],
    },
  ],
};

test.each([
  ["f_amount", "decimal"],
  ["f_change", ""],
  ["f_mail", "email"],
  ["f_phone", "tel"],
  ["f_reason", ""],
  ["f_count_2_0", "numeric"],
  ["f_count_2", "numeric"],
  ["f_unknown", ""],
])("an input of %s has the keyboard %s", (id, mode) => {
  expect(inputModeOf(schema, `fjs-form-1tevicx-${id}`)).toBe(mode);
});
