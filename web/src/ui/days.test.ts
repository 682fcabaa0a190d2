import { expect, test } from "vitest";
import { dayOf } from "./days";

const midnight = (day: string) => new Date(`${day}T00:00:00`).toISOString();

test("a date is itself, and no date stays none", () => {
  expect([dayOf("2026-10-08"), dayOf("")]).toEqual(["2026-10-08", ""]);
});

test("a period's first day is that of its beginning, its last day the one before its end", () => {
  expect(dayOf(midnight("2026-09-30"))).toBe("2026-09-30");
  expect(dayOf(midnight("2026-10-09"), true)).toBe("2026-10-08");
});
