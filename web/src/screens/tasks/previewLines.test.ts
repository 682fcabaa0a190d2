import { describe, expect, test } from "vitest";
import type { Preview } from "../../api/types";
import { together } from "./previewLines";

const EMPTY: Preview = {
  refused: "",
  message: "",
  details: {},
  status: "open",
  suspended: false,
  cancelled: [],
  opened: [],
  handed: [],
  passed: [],
  stopped: [],
  undone: [],
  incidents: [],
  notified: [],
  again_at: null,
};
const told = (id: string): Preview => ({ ...EMPTY, status: "completed", notified: [{ id, name: id }] });

describe("previews that are put together", () => {
  test("name everything that any of them names, and nothing of how one request would stand", () => {
    const both = together([told("lin"), told("wang")]);
    expect(both.notified.map(({ id }) => id)).toEqual(["lin", "wang"]);
    expect(both.status).toBe("open");
  });

  test("are the preview itself when there is one", () => {
    const one = told("lin");
    expect(together([one])).toBe(one);
  });

  test("cannot be made of nothing", () => {
    expect(() => together([])).toThrow();
  });
});
