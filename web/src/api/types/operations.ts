/** What operators do to many requests at once. */

import type { Named } from "./base";

/** One change of where an instance is. */
export interface Move {
  kind: "start_before" | "start_after" | "cancel" | "move";
  element: string;
  to?: string;
}
export type PlanKind = "migrate" | "modify" | "suspend" | "resume" | "retry";
export interface Plan {
  kind: PlanKind;
  process: string;
  version?: number;
  to_version?: number;
  elements?: Record<string, string>;
  moves?: Move[];
  at?: string;
  variables?: Record<string, unknown>;
}
export interface PlanProblem {
  code: string;
  element: string;
  message: string;
  count: number;
  examples: string[];
}
export interface PlanResult {
  process: string;
  total: number;
  clean: number;
  mapped: number;
  impossible: number;
  problems: PlanProblem[];
}
export interface Batch {
  id: string;
  kind: PlanKind;
  process: string;
  by: Named;
  reason: string;
  created_at: string;
  ended_at: string | null;
  undone: boolean;
  total: number;
  waiting: number;
  done: number;
  refused: number;
  taken_back: number;
  kept: number;
}
