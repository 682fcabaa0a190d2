import { describe, expect, test } from "vitest";
import { dayAndClock, duration, fileSize, percent, value, type Translate } from "./format";

const t: Translate = (key, params = {}) => `${key} ${String(params.n ?? "")}`.trim();

describe("figures", () => {
  test.each([
    [45_000, "span.seconds 45"],
    [12 * 60_000, "span.minutes 12"],
    [50_760_000, "span.hours 14.1"],
    [47 * 3_600_000, "span.hours 47"],
    [12.4 * 86_400_000, "span.days 12.4"],
  ])("%i ms are said as %s", (ms, text) => {
    expect(duration(t, "en", ms)).toBe(text);
  });

  test("shares have one decimal at most", () => {
    expect(percent("en", 0.0867)).toBe("8.7%");
  });

  test("times show the year only when it is another one", () => {
    const now = new Date(2026, 10, 24);
    expect(dayAndClock(new Date(2026, 10, 21, 14, 6).toISOString(), now)).toBe("11-21 14:06");
    expect(dayAndClock(new Date(2025, 0, 2, 3, 4).toISOString(), now)).toBe("2025-01-02 03:04");
  });

  test("files have a size in the unit that people use", () => {
    expect([12, 182_733, 5_300_000].map((bytes) => fileSize("en", bytes))).toEqual(["12 B", "178 KB", "5.1 MB"]);
  });
});

test("any process variable has a short text", () => {
  const say = (json: Parameters<typeof value>[2]) => value(t, "en", json);
  expect([
    say(null),
    say(true),
    say(86400.5),
    say("x"),
    say([1, 2]),
    say([{ a: 1 }]),
    say({ name: "n" }),
    say({ a: 1 }),
  ]).toEqual(["value.empty", "value.yes", "86,400.5", "x", "1value.separator2", "value.rows 1", "n", "a = 1"]);
});
