import type { BoardElement } from "../api/types";

export type HeatMetric = "handling" | "waiting" | "visits" | "returns";
export const HEAT_METRICS: readonly HeatMetric[] = ["handling", "waiting", "visits", "returns"];

export interface HeatColour {
  readonly level: number;
  readonly fill: string;
  readonly text: string;
}

/** From cool to hot; the two darkest carry white text (contrast 4.5 : 1 or better). */
export const HEAT_FILLS = ["#eef6f5", "#cfe9e4", "#f8e3b0", "#f3b878", "#e07a5a", "#b83a2f"] as const;
const INK = "#14201f";
const WHITE = "#ffffff";

/** What the heat of an element is measured by: milliseconds (median) or a count; null when nothing was measured. */
export function heatValue(element: BoardElement, metric: HeatMetric): number | null {
  switch (metric) {
    case "handling":
      return element.handling?.median_ms ?? null;
    case "waiting":
      return element.waiting?.median_ms ?? null;
    case "visits":
      return element.visits;
    case "returns":
      return element.returns;
  }
}

/** Colour of a value on the scale from 0 to the largest. */
export function heatColour(value: number, max: number): HeatColour {
  const steps = HEAT_FILLS.length;
  const level = max <= 0 ? 0 : Math.min(steps - 1, Math.floor((value / max) * steps));
  return { level, fill: HEAT_FILLS[level] ?? HEAT_FILLS[0], text: level === steps - 1 ? WHITE : INK };
}

/** Width of the band under a flow, 0 (never taken) to 14 pixels, by the share of the busiest flow. */
export function bandWidth(count: number, max: number): number {
  return count <= 0 || max <= 0 ? 0 : 4 + (10 * count) / max;
}
