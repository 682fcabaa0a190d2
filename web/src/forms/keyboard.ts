import type { FormComponent, FormSchema } from "../api/types";
import { fieldsOf } from "./fields";

/** The library names inputs by form, component and row: `fjs-form-1tevicx-f_price_0`. */
const isInputOf = (component: FormComponent, id: string) => {
  const [, rest] = id.split(`-${component.id ?? ""}`);
  return rest !== undefined && /^(_\d+)*$/.test(rest);
};

/** Which keyboard a phone shows for an input of a form, "" for its ordinary one. */
export function inputModeOf(schema: FormSchema, id: string): "" | "numeric" | "decimal" | "email" | "tel" {
  const component = fieldsOf(schema.components).find((field) => isInputOf(field.component, id))?.component;
  const rules = (component?.validate ?? {}) as { min?: unknown; validationType?: unknown };
  if (component?.type === "number") {
    // The digits of some phones have no minus.
    if (!(Number(rules.min ?? NaN) >= 0)) return "";
    return component.decimalDigits === 0 ? "numeric" : "decimal";
  }
  if (rules.validationType === "email") return "email";
  return rules.validationType === "phone" ? "tel" : "";
}
