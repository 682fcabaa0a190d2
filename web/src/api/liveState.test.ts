import { describe, expect, test } from "vitest";
import { initialLive, instanceOf, staleKeys, step, type LiveChange, type LiveEvent, type LiveState } from "./liveState";

const change = (seq: number, kind: LiveChange["kind"] = "task.closed", subject = "42-3"): LiveEvent => ({
  type: "change",
  change: { seq, kind, subject, process: "purchase", at: "2026-11-24T09:30:00.000Z" },
});
function after(...events: LiveEvent[]): LiveState {
  return events.reduce((state, event) => step(state, event)[0], initialLive);
}

describe("the live connection", () => {
  test("a tab that is elected opens the stream where it stopped listening", () => {
    const follower = after(change(7));
    expect(step(follower, { type: "elected" })[1]).toEqual([{ do: "open", after: 7 }]);
  });

  test("the leader publishes what it hears, a follower only refetches", () => {
    const leader = after({ type: "elected" }, { type: "opened" });
    const effects = (state: LiveState) => step(state, change(1))[1].map((effect) => effect.do);
    expect(effects(leader)).toEqual(["invalidate", "publish"]);
    expect(effects(initialLive)).toEqual(["invalidate"]);
  });

  test("a change that was seen already does nothing", () => {
    const leader = after({ type: "elected" }, change(5));
    expect(step(leader, change(5))).toEqual([leader, []]);
  });

  test("waits longer after each failure and says offline after the fourth", () => {
    let state = after({ type: "elected" });
    const waits: number[] = [];
    const links: string[] = [];
    for (let failure = 0; failure < 6; failure += 1) {
      const [next, effects] = step(state, { type: "failed" });
      const wait = effects.find((effect) => effect.do === "retry-in");
      waits.push(wait?.do === "retry-in" ? wait.ms : -1);
      links.push(next.link);
      state = next;
    }
    expect(waits).toEqual([500, 1_000, 2_000, 5_000, 15_000, 15_000]);
    expect(links).toEqual(["connecting", "connecting", "connecting", "offline", "offline", "offline"]);
    expect(step(state, { type: "opened" })[0]).toMatchObject({ link: "live", failures: 0 });
  });

  test("a follower shows the leader's state and remembers its position", () => {
    expect(after(change(3), { type: "heard-link", link: "offline", seq: 9 })).toMatchObject({
      link: "offline",
      seq: 9,
    });
  });

  test("a reset refetches everything and forgets the position", () => {
    const leader = after({ type: "elected" }, change(5));
    const [next, effects] = step(leader, { type: "reset" });
    expect(next.seq).toBe(-1);
    expect(effects[0]).toEqual({ do: "invalidate-all" });
  });

  test("back again without a known position, everything is fetched anew", () => {
    const lost = after({ type: "elected" }, { type: "opened" }, { type: "failed" });
    expect(step(lost, { type: "opened" })[1]).toContainEqual({ do: "invalidate-all" });
    const knowing = after({ type: "elected" }, change(5), { type: "failed" });
    expect(step(knowing, { type: "opened" })[1]).not.toContainEqual({ do: "invalidate-all" });
  });

  test("a task's change reaches its instance", () => {
    expect(instanceOf("42-3")).toBe("42");
    const event = change(1);
    if (event.type !== "change") throw new Error("a change was made above");
    expect(staleKeys(event.change)).toContainEqual(["timeline", "42"]);
  });

  test("a board's change reaches that board only", () => {
    const event = change(1, "board.changed", "purchase");
    if (event.type !== "change") throw new Error("a change was made above");
    expect(staleKeys(event.change)).toEqual([
      ["board", "purchase"],
      ["feed", "purchase"],
    ]);
  });
});
