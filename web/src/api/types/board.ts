/** The figures of the board. */

import type { ElementRef, ProcessRef } from "./base";

export interface DurationStats {
  mean_ms: number;
  median_ms: number;
  p90_ms: number;
  count: number;
}
export type BoardRange = "today" | "7d" | "30d" | "90d";
export type BoardTime = "clock" | "working";
export interface BoardElement {
  id: string;
  name: string;
  kind: string;
  visits: number;
  open: number;
  overdue: number;
  returns: number;
  incidents: number;
  handling: DurationStats | null;
  waiting: DurationStats | null;
  working: DurationStats | null;
}
export interface BoardDay {
  day: string;
  started: number;
  completed: number;
  median_ms: number | null;
  p90_ms: number | null;
}
export interface Backlog {
  element: ElementRef;
  in_time: number;
  due_24h: number;
  overdue: number;
}
export interface Board {
  process: ProcessRef;
  range: { from: string; to: string };
  time: BoardTime;
  as_of_seq: number;
  simulated: boolean;
  tiles: {
    handling: DurationStats | null;
    cycle: DurationStats | null;
    backlog: {
      open: number;
      overdue: number;
      share: number | null;
      arrived: number;
      completed: number;
      days_to_clear: number | null;
    };
    errors: { incidents: number; returns: number; completed_tasks: number; share: number | null };
    throughput: { started: number; completed: number; per_day: number };
    on_time: { on_time: number; late: number; share: number | null };
  };
  elements: BoardElement[];
  flows: { id: string; count: number }[];
  series: BoardDay[];
  backlog_by_element: Backlog[];
}
