/** What people keep for themselves: phrases, access tokens, filters. */

import type { Named } from "./base";

/** Phrases for opinions. */
export interface Phrases {
  mine: string[];
  shared: string[];
}
export interface AccessToken {
  id: string;
  name: string;
  person: Named;
  created_at: string;
  expires_at: string;
  expired: boolean;
  used_at: string | null;
}
/** A token that has just been made, with its secret. */
export interface NewToken {
  token: AccessToken;
  secret: string;
}
export type ListName = "instances" | "tasks";
/** The parameters of a list that can be saved, in the server's own words. */
export interface FilterQuery {
  q?: string;
  process?: string;
  status?: string;
  box?: string;
  starter?: string;
  holder?: string;
  actor?: string;
  field?: readonly string[];
}
export interface FilterField {
  name: string;
  label: string;
  type: "text" | "number" | "date" | "bool";
  /** Value and what the form calls it. */
  choices: readonly (readonly [string, string])[];
}
export interface SavedFilter {
  id: string;
  list: ListName;
  name: string;
  query: FilterQuery;
  /** What of it means nothing any more. */
  problems: { parameter: string; given: string; code: string; message: string }[];
}
