import type { Finding, FormSchema } from "../../api/types";

export interface FormUse {
  process: { key: string; name: string; version: number };
  /** The steps that show it; the process itself for the form it starts with. */
  steps: { id: string; name: string }[];
}

export interface FormBrief {
  id: string;
  fields: number;
  uses: FormUse[];
}

export interface DesignedForm {
  id: string;
  file: string;
  /** Names the edition that is in force, "" for a form that is new. */
  base: string;
  schema: FormSchema;
  uses: FormUse[];
  findings: Finding[];
}

/** A form of which there is nothing yet. */
export function emptyForm(id: string): DesignedForm {
  const schema: FormSchema = { type: "default", id, schemaVersion: 19, components: [] };
  return { id, file: "", base: "", schema, uses: [], findings: [] };
}
