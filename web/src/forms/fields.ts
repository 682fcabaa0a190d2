import type { FormComponent, FormSchema, Json, Variables } from "../api/types";

/** A field of a form with the path of keys under which its value is stored. */
export interface Field {
  readonly component: FormComponent;
  readonly path: readonly string[];
}

/** Every field that stores a value, with the path through groups and repeated rows. */
export function fieldsOf(components: readonly FormComponent[], parents: readonly string[] = []): Field[] {
  return components.flatMap((component) => {
    const inside = component.path ? [...parents, ...component.path.split(".")] : parents;
    if (component.components) return fieldsOf(component.components, inside);
    return component.key ? [{ component, path: [...parents, ...component.key.split(".")] }] : [];
  });
}

/** The names at the top of a form's data; a draft keeps these and nothing else. */
export function topKeys(schema: FormSchema): Set<string> {
  return new Set(fieldsOf(schema.components).map((field) => field.path[0] ?? ""));
}

/** `items[1].price` or `items.1.price` into names and row numbers. */
function split(name: string): { names: string[]; rows: number[] } {
  const parts = name.split(/[.[\]]+/).filter(Boolean);
  return {
    names: parts.filter((part) => !/^\d+$/.test(part)),
    rows: parts.filter((part) => /^\d+$/.test(part)).map(Number),
  };
}

export interface PlacedError {
  /** Id of the component and, for repeated rows, the row numbers. */
  readonly path: readonly (string | number)[];
  readonly text: string;
}

/** Put the server's field errors at the fields; those that no field takes come back as `left`. */
export function placeErrors(
  schema: FormSchema,
  errors: Readonly<Record<string, string>>,
): { placed: PlacedError[]; left: string[] } {
  const all = fieldsOf(schema.components);
  const placed: PlacedError[] = [];
  const left: string[] = [];
  for (const [name, text] of Object.entries(errors)) {
    const { names, rows } = split(name);
    const field = all.find(({ path }) => path.join(".") === names.join("."));
    if (field?.component.id) placed.push({ path: [field.component.id, ...rows], text });
    else left.push(text);
  }
  return { placed, left };
}

/** The data to show: what the server has, with the draft's values over it for fields that the form may still change. */
export function withDraft(schema: FormSchema, data: Variables, draft: Variables | null): Variables {
  if (!draft) return data;
  const open = new Set(
    fieldsOf(schema.components)
      .filter(({ component }) => component.readonly !== true && component.disabled !== true)
      .map((field) => field.path[0] ?? ""),
  );
  const kept: [string, Json][] = Object.entries(draft).filter(([name]) => open.has(name));
  return { ...data, ...Object.fromEntries(kept) };
}
