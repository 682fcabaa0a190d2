import type { LocationQuery } from "vue-router";
import type { FilterField, FilterQuery } from "../../api/types";

/** What a list is narrowed to beside its words: people by their part, and conditions on form fields. */
export const PEOPLE = ["starter", "holder", "actor"] as const;
export type PersonPart = (typeof PEOPLE)[number];
export const OPERATORS = ["=", ">", ">=", "<", "<=", "~"] as const;
export type Operator = (typeof OPERATORS)[number];
/** What the signs are called in the texts. */
export const SIGNS: Readonly<Record<Operator, string>> = {
  "=": "eq",
  ">": "gt",
  ">=": "ge",
  "<": "lt",
  "<=": "le",
  "~": "words",
};
export interface Condition {
  readonly name: string;
  readonly operator: Operator;
  readonly value: string;
}
export type Conditions = Readonly<Record<PersonPart, string>> & { readonly field: readonly string[] };
export const NO_CONDITIONS: Conditions = { starter: "", holder: "", actor: "", field: [] };

/** By which signs a field can be compared, the most usual first. */
export function operatorsOf(field: Pick<FilterField, "type" | "choices">): readonly Operator[] {
  if (field.type === "number") return [">=", "<=", "=", ">", "<"];
  if (field.type === "date") return [">=", "<=", "="];
  return field.type === "bool" || field.choices.length ? ["="] : ["~", "="];
}

const CONDITION = /^([^<>=~]+)(>=|<=|=|<|>|~)([\s\S]*)$/;

/** A condition as the address and the server write it, taken apart; undefined for what is none. */
export function parseCondition(text: string): Condition | undefined {
  const found = CONDITION.exec(text.trim());
  const [name, operator, value] = [found?.[1]?.trim(), found?.[2], found?.[3]?.trim()];
  return name && operator && value ? { name, operator: operator as Operator, value } : undefined;
}

export function writeCondition({ name, operator, value }: Condition): string {
  return `${name}${operator}${value.trim()}`;
}

/** How a condition reads: "amount ≥ 5000", with the label that the form gives its field. */
export function readable(text: string, fields: readonly FilterField[], has: string): string {
  const condition = parseCondition(text);
  if (!condition) return text;
  const field = fields.find((one) => one.name === condition.name);
  const sign = { "=": "=", ">": ">", ">=": "≥", "<": "<", "<=": "≤", "~": has }[condition.operator];
  const value = field?.choices.find(([key]) => key === condition.value)?.[1] ?? condition.value;
  return `${field?.label ?? condition.name} ${sign} ${value}`;
}

const one = (value: LocationQuery[string] | undefined): string => (typeof value === "string" ? value : "");
const all = (value: LocationQuery[string] | undefined): string[] =>
  (Array.isArray(value) ? value : [value]).filter((text): text is string => Boolean(text));

/** The conditions in an address, where they live so that a list can be sent to a colleague. */
export function conditionsIn(query: LocationQuery): Conditions {
  return {
    starter: one(query["starter"]),
    holder: one(query["holder"]),
    actor: one(query["actor"]),
    field: all(query["field"]),
  };
}

/** The part of an address that says them; what is not there is left out. */
export function addressOf(conditions: Conditions): Record<keyof Conditions, string | string[] | undefined> {
  return {
    starter: conditions.starter || undefined,
    holder: conditions.holder || undefined,
    actor: conditions.actor || undefined,
    field: conditions.field.length ? [...conditions.field] : undefined,
  };
}

export const isEmpty = (conditions: Conditions): boolean =>
  !conditions.field.length && PEOPLE.every((part) => !conditions[part]);

/** A saved filter as the address of its list. */
export function addressOfFilter(query: FilterQuery): Record<string, string | string[] | undefined> {
  return {
    q: query.q || undefined,
    process: query.process || undefined,
    status: query.status && query.status !== "all" ? query.status : undefined,
    ...addressOf({
      starter: query.starter ?? "",
      holder: query.holder ?? "",
      actor: query.actor ?? "",
      field: query.field ?? [],
    }),
  };
}
