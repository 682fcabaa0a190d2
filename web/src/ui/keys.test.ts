// @vitest-environment happy-dom
import { describe, expect, test, vi } from "vitest";
import { isTyping, keyName, KeySequence } from "./keys";

describe("keys", () => {
  test("are named with Ctrl in front, Command counting as Ctrl", () => {
    expect(keyName(new KeyboardEvent("keydown", { key: "K", metaKey: true }))).toBe("Ctrl+k");
    expect(keyName(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true }))).toBe("Ctrl+Enter");
    expect(keyName(new KeyboardEvent("keydown", { key: "?" }))).toBe("?");
  });

  test("pressed one after the other make a pair", () => {
    const go = vi.fn();
    const sequence = new KeySequence({ "g t": go });
    expect(sequence.press("g", 0)).toBeNull();
    expect(sequence.press("t", 500)).toBe(go);
  });

  test("pressed too slowly do not", () => {
    const single = vi.fn();
    const sequence = new KeySequence({ "g t": vi.fn(), t: single });
    sequence.press("g", 0);
    expect(sequence.press("t", 5_000)).toBe(single);
  });

  test("after a broken pair count again", () => {
    const move = vi.fn();
    const sequence = new KeySequence({ "g t": vi.fn(), j: move });
    sequence.press("g", 0);
    expect(sequence.press("j", 100)).toBe(move);
  });

  test("typed into a field are not commands", () => {
    expect(isTyping(document.createElement("textarea"))).toBe(true);
    expect(isTyping(document.createElement("button"))).toBe(false);
  });
});
