import { describe, expect, test } from "vitest";
import { draftOf, hoursOf, kindOf, monthsOf, withDay, withYear, workingDays, type CalendarView } from "./calendar";

const OFFICE = ["09:00-12:00", "13:00-18:00"];
const VIEW: CalendarView = {
  id: "default",
  name: "Office",
  version: 3,
  zone: "Asia/Shanghai",
  week: [OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, [], []],
  horizon: "2026-12-31",
  holidays: { "2026-10-01": "国庆节" },
  workdays: ["2026-10-10"],
  hours: { "2026-12-31": ["09:00-12:00"] },
  note: "",
  published_at: "2026-01-01T00:00:00Z",
  published_by: null,
  versions: [],
  batch: "",
};
const DRAFT = draftOf(VIEW);

describe("a calendar that is edited", () => {
  test("names the version it was made from", () => {
    expect(DRAFT.base).toBe(3);
  });

  test("tells holidays, make-up days, special hours, working and free days apart", () => {
    const dates = ["2026-10-01", "2026-10-10", "2026-12-31", "2026-10-08", "2026-10-11"];
    expect(dates.map((date) => kindOf(DRAFT, date))).toEqual(["holiday", "make_up", "special", "working", "free"]);
  });

  test("begins each month under its weekday", () => {
    const months = monthsOf(DRAFT, 2026);
    expect(months).toHaveLength(12);
    // 1 October 2026 is a Thursday.
    expect(months[9]?.findIndex((day) => day !== null)).toBe(3);
    expect(months[1]?.filter((day) => day !== null)).toHaveLength(28);
  });

  test("counts working days", () => {
    // 261 weekdays, less one holiday, and one make-up Saturday more.
    expect(workingDays(DRAFT, 2026)).toBe(261);
  });

  test("a day is one thing at a time", () => {
    const changed = withDay(DRAFT, "2026-10-01", "make_up");
    expect(kindOf(changed, "2026-10-01")).toBe("make_up");
    expect(changed.holidays).toEqual({});
    expect(kindOf(withDay(changed, "2026-10-01", "working"), "2026-10-01")).toBe("working");
  });

  test("takes the days of a published year over, and the horizon with it", () => {
    const days = { year: 2027, holidays: { "2027-01-01": "元旦" }, workdays: ["2027-01-09"], published: true };
    const taken = withYear(DRAFT, days);
    expect(taken.horizon).toBe("2027-12-31");
    expect(taken.holidays).toEqual({ "2026-10-01": "国庆节", "2027-01-01": "元旦" });
    expect(withYear(DRAFT, { ...days, published: false }).horizon).toBe("2026-12-31");
  });

  test("reads hours as people type them", () => {
    expect(hoursOf(" 09:00–12:00，13:00-18:00 ")).toEqual(OFFICE);
  });
});
