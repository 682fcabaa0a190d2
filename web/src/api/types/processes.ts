/** Processes: what is deployed, its versions, its forms, and what was found in it. */

import type { Named, PersonRef, ProcessRef } from "./base";

export interface FormComponent {
  id?: string;
  type: string;
  key?: string;
  path?: string;
  label?: string;
  readonly?: boolean | string;
  disabled?: boolean;
  components?: FormComponent[];
  [property: string]: unknown;
}
export interface FormSchema {
  type: string;
  components: FormComponent[];
  [property: string]: unknown;
}
export interface ProcessItem {
  key: string;
  name: string;
  version: number;
  versions: number;
  startable: boolean;
  has_start_form: boolean;
  open_instances: number;
  open_tasks: number;
  overdue_tasks: number;
  incidents: number;
  deployed_at: string;
  deployed_by: PersonRef | null;
  documentation: string;
}
export type Severity = "error" | "warning" | "info";
export interface Finding {
  severity: Severity;
  code: string;
  message: string;
  file: string;
  line: number;
  element: string;
  details: Record<string, string>;
}
export interface ProcessDetail extends ProcessItem {
  elements: { id: string; name: string; kind: string }[];
  findings: Finding[];
}
export interface PlainModel {
  xml: string;
  findings: Finding[];
}
export interface ProcessVersion {
  version: number;
  deployed_at: string;
  deployed_by: PersonRef | null;
  open_instances: number;
}
export interface Deployment {
  id: string;
  deployed_at: string;
  processes: ProcessRef[];
  decisions: Named[];
  forms: string[];
  findings: Finding[];
}
