import { describe, expect, test } from "vitest";
import type { AuditEntry } from "../../api/types";
import { chainState } from "./chain";

const entry = (seq: number, prev: string, hash: string, stream = "main"): AuditEntry => ({
  stream,
  seq,
  prev,
  hash,
  at: "2026-11-24T09:30:00.000Z",
  actor: null,
  on_behalf_of: null,
  via: [],
  action: "task.complete",
  object: { type: "task", id: "1" },
  outcome: "ok",
  address: "",
  device: "",
  before: null,
  after: null,
  reason: "",
});

describe("the hash chain of a page of records", () => {
  test("is linked in whatever order the records come", () => {
    expect(chainState([entry(3, "b", "c"), entry(1, "-", "a"), entry(2, "a", "b")])).toEqual({
      kind: "linked",
      links: 2,
    });
  });

  test("names the first record that does not match the one before", () => {
    expect(chainState([entry(1, "-", "a"), entry(2, "x", "b"), entry(3, "y", "c")])).toEqual({
      kind: "broken",
      stream: "main",
      seq: 2,
    });
  });

  test("does not compare across gaps or streams", () => {
    expect(chainState([entry(1, "-", "a"), entry(5, "z", "b"), entry(2, "q", "r", "people")])).toEqual({
      kind: "linked",
      links: 0,
    });
  });
});
