/** People, units and who acts for whom, as administrators see them. */

import type { Json, Named, Person, PersonRef } from "./base";

/** Somebody who acts for somebody else for a while. */
export interface Substitution {
  id: string;
  principal: PersonRef;
  substitute: PersonRef;
  since: string;
  until: string;
  processes: Named[];
  amount_max: number | null;
  state: "ahead" | "in_force" | "over";
  created_by: PersonRef;
  ended_at: string | null;
  /** Tasks that stay with the substitute. */
  kept: string[];
  /** Whether the substitute's own substitutes may act, too. */
  passes_on: boolean;
}
export interface SecondManager {
  purpose: string;
  manager: Named;
}
export interface AdminPerson extends Person {
  username: string;
  email: string;
  active: boolean;
  position: string;
  posts: { unit: Named; position: string }[];
  lines: SecondManager[];
  /** The line of managers, the nearest first. */
  managers: Named[];
}
export interface Unit extends Named {
  /** Id of the unit above, "" for the top. */
  parent: string;
  /** Id of its manager, "" for none. */
  manager: string;
  acting: { person: string; since: string; until: string }[];
  lines: SecondManager[];
  active: boolean;
  /** Who manages it now. */
  head: Named | null;
}
/** What is wrong in a row of a file; row 0 is the whole table. */
export interface RowError {
  sheet: string;
  row: number;
  column: string;
  code: string;
  message: string;
  value: string;
}
export interface ImportedChange {
  kind: "person" | "unit";
  id: string;
  name: string;
  before: Record<string, Json>;
  after: Record<string, Json>;
}
/** What an import would do, or has done. */
export interface ImportPreview {
  applied: boolean;
  valid_from: string;
  errors: RowError[];
  errors_total: number;
  added: ImportedChange[];
  changed: ImportedChange[];
  deactivated: ImportedChange[];
  unchanged: number;
}
/** Some fields of a person or unit that have these values from an instant on. */
export interface OrgChange {
  valid_from: string;
  ahead: boolean;
  fields: Record<string, Json>;
  recorded_at: string;
  by: Named | null;
}
