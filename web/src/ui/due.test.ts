import { describe, expect, test } from "vitest";
import { dueText } from "./due";

const now = new Date(2026, 10, 24, 9, 30);
const at = (...parts: [number, number, number, number, number]) => new Date(...parts).toISOString();

describe("until when something is due", () => {
  test.each([
    ["late by minutes", at(2026, 10, 24, 9, 5), { tone: "late", key: "due.late_minutes", params: { n: 25 } }],
    ["late by hours", at(2026, 10, 24, 7, 15), { tone: "late", key: "due.late_hours", params: { n: 2 } }],
    ["late by days", at(2026, 10, 21, 9, 30), { tone: "late", key: "due.late_days", params: { n: 3 } }],
    ["today", at(2026, 10, 24, 18, 0), { tone: "soon", key: "due.today", params: { clock: "18:00" } }],
    ["tomorrow, even if 15 hours away", at(2026, 10, 25, 0, 30), { tone: "later", key: "due.tomorrow", params: {} }],
    ["a later day", at(2026, 10, 28, 12, 0), { tone: "later", key: "due.day", params: { day: "11-28" } }],
    ["next year", at(2027, 0, 3, 12, 0), { tone: "later", key: "due.day", params: { day: "2027-01-03" } }],
  ])("%s", (_name, due, expected) => {
    expect(dueText(due, now)).toEqual(expected);
  });

  test("a moment late says one minute, not zero", () => {
    expect(dueText(new Date(now.getTime() - 1).toISOString(), now).params).toEqual({ n: 1 });
  });
});
