import type { FormComponent, FormSchema } from "../../api/types";

/** What the palette offers, in its order. A signature is a file that is signed by hand instead of chosen. */
export const KINDS = [
  "textfield",
  "textarea",
  "number",
  "datetime",
  "select",
  "radio",
  "checklist",
  "taglist",
  "checkbox",
  "filepicker",
  "signature",
  "expression",
  "dynamiclist",
  "group",
  "text",
  "separator",
] as const;
export type Kind = (typeof KINDS)[number];

/** Where a part stands: its place among the parts at the top, then among those inside of it, and so on. */
export type Place = readonly number[];

const CHOICES: readonly string[] = ["select", "radio", "checklist", "taglist"];
const SHOWN: readonly string[] = ["text", "separator"];

export function kindOf(part: FormComponent): string {
  return part.type === "filepicker" && setting(part, "properties.kind") === "signature" ? "signature" : part.type;
}

export const hasChoices = (part: FormComponent) => CHOICES.includes(part.type);
export const holdsParts = (part: FormComponent) => part.type === "dynamiclist" || part.type === "group";

/** The text under which people know a part. */
export function nameOf(part: FormComponent): string {
  const text = part.label || part.dateLabel || part.timeLabel || part.text || part.key || part.path || "";
  return String(text);
}

// Settings

/** A setting of a part by its dotted name. */
export function setting(part: FormComponent, name: string): unknown {
  return name.split(".").reduce<unknown>((level, key) => (level as Record<string, unknown> | undefined)?.[key], part);
}

/** A part with a setting; "", `false` and `undefined` take it away, and what is empty then. */
export function withSetting(part: FormComponent, name: string, value: unknown): FormComponent {
  const [first = "", ...rest] = name.split(".");
  const absent = value === "" || value === false || value === undefined || value === null;
  const inner =
    rest.length > 0
      ? withSetting((part[first] ?? {}) as FormComponent, rest.join("."), value)
      : absent
        ? undefined
        : value;
  const empty = inner === undefined || (rest.length > 0 && Object.keys(inner as object).length === 0);
  if (!empty) return { ...part, [first]: inner };
  return Object.fromEntries(Object.entries(part).filter(([key]) => key !== first)) as FormComponent;
}

// The tree of parts

export interface Placed {
  readonly part: FormComponent;
  readonly place: Place;
}

/** Every part with its place, in the order in which people read them. */
export function parts(components: readonly FormComponent[], above: Place = []): Placed[] {
  return components.flatMap((part, at) => {
    const place = [...above, at];
    return [{ part, place }, ...parts(part.components ?? [], place)];
  });
}

export function partAt(schema: FormSchema, place: Place): FormComponent | undefined {
  return place.reduce<FormComponent | undefined>(
    (level, at) => level?.components?.[at],
    schema as unknown as FormComponent,
  );
}

/** A form in which the list that holds a place is another one. */
function withList(
  schema: FormSchema,
  above: Place,
  change: (list: readonly FormComponent[]) => FormComponent[],
): FormSchema {
  const [first, ...rest] = above;
  if (first === undefined) return { ...schema, components: change(schema.components) };
  const components = schema.components.map((part, at) =>
    at === first
      ? (withList({ ...part, components: part.components ?? [] } as FormSchema, rest, change) as FormComponent)
      : part,
  );
  return { ...schema, components };
}

export function withPart(schema: FormSchema, place: Place, part: FormComponent): FormSchema {
  const at = place.at(-1) ?? 0;
  return withList(schema, place.slice(0, -1), (list) => list.map((other, n) => (n === at ? part : other)));
}

export function withoutPart(schema: FormSchema, place: Place): FormSchema {
  const at = place.at(-1) ?? 0;
  return withList(schema, place.slice(0, -1), (list) => list.filter((_, n) => n !== at));
}

/** A form with a part put in before a place; a place behind the last adds it there. */
export function withInserted(schema: FormSchema, place: Place, part: FormComponent): FormSchema {
  const at = place.at(-1) ?? 0;
  return withList(schema, place.slice(0, -1), (list) => [...list.slice(0, at), part, ...list.slice(at)]);
}

/** A form with a part moved by so many places among its neighbours; it stays when there is no such place. */
export function withMoved(schema: FormSchema, place: Place, by: number): FormSchema {
  const at = place.at(-1) ?? 0;
  return withList(schema, place.slice(0, -1), (list) => {
    const part = list[at];
    if (!part || at + by < 0 || at + by >= list.length) return [...list];
    const left = list.filter((_, n) => n !== at);
    left.splice(at + by, 0, part);
    return left;
  });
}

/** Where the next part goes: behind the chosen one, into a list or group that is chosen, or at the end. */
export function nextPlace(schema: FormSchema, chosen: Place | null, kind: Kind): Place {
  const part = chosen && partAt(schema, chosen);
  if (!chosen || !part) return [schema.components.length];
  // A list within a list is more than people, and the viewer, can follow.
  if (holdsParts(part) && !["dynamiclist", "group"].includes(kind)) return [...chosen, part.components?.length ?? 0];
  return [...chosen.slice(0, -1), (chosen.at(-1) ?? 0) + 1];
}

// New parts

function free(stem: string, taken: ReadonlySet<string>): string {
  for (let number = 1; ; number++) if (!taken.has(`${stem}${number}`)) return `${stem}${number}`;
}

const taken = (schema: FormSchema, name: "id" | "key" | "path") =>
  new Set(parts(schema.components).map(({ part }) => String(part[name] ?? "")));

/** A part of a kind, under a name that nothing else in the form has. */
export function freshPart(schema: FormSchema, kind: Kind, label: string): FormComponent {
  const id = free("f_", taken(schema, "id"));
  const key = free(`${kind}_`, new Set([...taken(schema, "key"), ...taken(schema, "path")]));
  const named = { id, key, label };
  if (kind === "signature") return { ...named, type: "filepicker", accept: "image/png", properties: { kind } };
  if (kind === "expression") return { id, key, type: kind, expression: "=", computeOn: "change" };
  if (kind === "datetime") return { id, key, type: kind, subtype: "date", dateLabel: label };
  if (kind === "text") return { id, type: kind, text: label };
  if (kind === "separator") return { id, type: kind };
  if (kind === "group") return { id, type: kind, label, components: [], showOutline: true };
  if (kind === "dynamiclist")
    return {
      ...{ id, type: kind, path: key, label, components: [], showOutline: true },
      ...{ isRepeating: true, allowAddRemove: true, defaultRepetitions: 1 },
    };
  if (CHOICES.includes(kind)) return { ...named, type: kind, values: [{ label: `${label} 1`, value: "1" }] };
  return { ...named, type: kind };
}

/** A part once more, with everything in it, under names of its own. */
export function copyOf(schema: FormSchema, place: Place): FormComponent | null {
  const part = partAt(schema, place);
  if (!part) return null;
  const ids = taken(schema, "id");
  const keys = new Set([...taken(schema, "key"), ...taken(schema, "path")]);
  const again = (one: FormComponent, inside: boolean): FormComponent => {
    const id = free("f_", ids);
    ids.add(id);
    const copy: FormComponent = { ...one, id };
    for (const name of ["key", "path"] as const) {
      const known = one[name];
      // Within a list that is copied the keys are its own.
      if (!known || inside) continue;
      copy[name] = free(`${known}_`, keys);
      keys.add(copy[name]);
    }
    if (one.components) copy.components = one.components.map((child) => again(child, inside || !!one.path));
    return copy;
  };
  return again(part, false);
}

// Rows: parts with the same row stand beside each other

/** Whether a part stands beside the one before it. */
export function isBeside(schema: FormSchema, place: Place): boolean {
  const before = previous(schema, place);
  const row = setting(partAt(schema, place) ?? { type: "" }, "layout.row");
  return !!before && row !== undefined && row === setting(before.part, "layout.row");
}

/** A form in which a part stands beside the one before it, or on a row of its own. */
export function withBeside(schema: FormSchema, place: Place, beside: boolean): FormSchema {
  const part = partAt(schema, place);
  const before = previous(schema, place);
  if (!part || !before) return schema;
  const rows = new Set(parts(schema.components).map((one) => String(setting(one.part, "layout.row") ?? "")));
  if (!beside) return withPart(schema, place, withSetting(part, "layout.row", free("row_", rows)));
  const row = setting(before.part, "layout.row") ?? free("row_", rows);
  const joined = withPart(schema, before.place, withSetting(before.part, "layout.row", row));
  return withPart(joined, place, withSetting(part, "layout.row", row));
}

function previous(schema: FormSchema, place: Place): Placed | null {
  const at = place.at(-1) ?? 0;
  const before = [...place.slice(0, -1), at - 1];
  const part = at > 0 ? partAt(schema, before) : undefined;
  return part ? { part, place: before } : null;
}

// What may be set of which kind

export type SettingKind = "text" | "long" | "number" | "bool" | "feel" | "choice";
export interface Setting {
  /** Dotted; the text's key has underscores instead. */
  readonly name: string;
  readonly kind: SettingKind;
  readonly choices?: readonly string[];
}

const of = (name: string, kind: SettingKind = "text", choices?: readonly string[]): Setting =>
  choices ? { name, kind, choices } : { name, kind };

const BY_KIND: Readonly<Record<string, readonly Setting[]>> = {
  textfield: [of("validate.minLength", "number"), of("validate.maxLength", "number"), of("validate.pattern")],
  textarea: [of("validate.minLength", "number"), of("validate.maxLength", "number")],
  number: [
    of("validate.min", "number"),
    of("validate.max", "number"),
    of("decimalDigits", "number"),
    of("appearance.prefixAdorner"),
    of("appearance.suffixAdorner"),
  ],
  datetime: [of("subtype", "choice", ["date", "time", "datetime"]), of("disallowPassedDates", "bool")],
  filepicker: [of("accept"), of("multiple", "bool")],
  expression: [of("expression", "feel"), of("computeOn", "choice", ["change", "presubmit"])],
  dynamiclist: [of("properties.minRows", "number"), of("properties.maxRows", "number"), of("allowAddRemove", "bool")],
};

/** The settings that people may change, in the order in which they are shown. */
export function settingsOf(part: FormComponent): readonly Setting[] {
  const kind = kindOf(part);
  const own = BY_KIND[kind] ?? [];
  if (kind === "separator") return [of("conditional.hide", "feel")];
  if (kind === "text") return [of("text", "long"), of("conditional.hide", "feel")];
  if (kind === "expression") return [of("key"), ...own];
  const label = part.type === "datetime" ? (part.subtype === "time" ? "timeLabel" : "dateLabel") : "label";
  const group = [of(label), of("conditional.hide", "feel")];
  if (kind === "group") return group;
  if (kind === "dynamiclist") return [of(label), of("path"), ...own, of("conditional.hide", "feel")];
  const rest = [of("readonly", "feel"), of("conditional.hide", "feel")];
  return [of(label), of("key"), of("description"), of("validate.required", "bool"), ...own, ...rest];
}

/** How wide a part is, in sixteenths of its row; "" shares the row evenly. */
export const WIDTHS = ["", "4", "5", "6", "8", "10", "11", "12", "16"] as const;

export const mayStandBeside = (part: FormComponent) => !SHOWN.includes(part.type);
