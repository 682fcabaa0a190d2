import { describe, expect, test } from "vitest";
import { bandWidth, HEAT_FILLS, heatColour } from "./heat";

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

describe("heat", () => {
  test("goes from the coolest at zero to the hottest at the largest value, never backwards", () => {
    const levels = [0, 10, 20, 40, 60, 80, 100].map((value) => heatColour(value, 100).level);
    expect(levels[0]).toBe(0);
    expect(levels.at(-1)).toBe(HEAT_FILLS.length - 1);
    expect(levels).toEqual(levels.toSorted((a, b) => a - b));
  });

  test("keeps the name on every colour readable (4.5 : 1)", () => {
    for (let at = 0; at < HEAT_FILLS.length; at += 1) {
      const { fill, text } = heatColour(at + 0.5, HEAT_FILLS.length);
      expect(contrast(fill, text), fill).toBeGreaterThanOrEqual(4.5);
    }
  });

  test("is cool when nothing was measured", () => {
    expect(heatColour(0, 0).level).toBe(0);
  });

  test("draws no band where nobody went and the widest on the busiest flow", () => {
    expect(bandWidth(0, 10)).toBe(0);
    expect(bandWidth(1, 10)).toBeGreaterThanOrEqual(4);
    expect(bandWidth(10, 10)).toBe(14);
  });
});
