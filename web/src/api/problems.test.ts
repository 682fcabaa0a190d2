import { describe, expect, test } from "vitest";
import { address, newKey } from "./client";
import { doneBy, fieldErrors, isConflict, problemFrom, problemKey } from "./problems";

describe("an error answer", () => {
  test("is read with its code, details and request id", () => {
    const problem = problemFrom(
      422,
      {
        code: "form.invalid",
        title: "Invalid",
        detail: "",
        request_id: "r-1",
        details: { fields: { amount: { code: "form.max", message: "At most 5.", details: { max: "5" } } } },
      },
      "",
    );
    expect(problem).toMatchObject({ status: 422, code: "form.invalid", title: "Invalid", requestId: "r-1" });
    expect(fieldErrors(problem)).toEqual({
      amount: { code: "form.max", message: "At most 5.", details: { max: "5" } },
    });
    expect(problemKey(problem.code)).toBe("errors.form_invalid");
  });

  test("that is no problem document still has a code and the id of the header", () => {
    expect(problemFrom(502, "<html>", "r-2")).toMatchObject({ code: "http.502", requestId: "r-2", details: {} });
  });

  test("of a conflict names who was first, if the server said so", () => {
    const problem = problemFrom(409, { code: "task.not_open", details: { by: { id: "p2", name: "Li Na" } } }, "");
    expect(isConflict(problem)).toBe(true);
    expect(doneBy(problem)).toEqual({ id: "p2", name: "Li Na" });
    expect(doneBy(problemFrom(409, {}, ""))).toBeNull();
  });
});

test("an address leaves out what is not set", () => {
  expect(address("/tasks", { box: "mine", q: "", process: undefined, limit: 50 })).toBe("/api/tasks?box=mine&limit=50");
});

test("a new key is a version 4 UUID and never the same", () => {
  expect(newKey()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(newKey()).not.toBe(newKey());
});
