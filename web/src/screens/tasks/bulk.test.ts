import { expect, test } from "vitest";
import { Problem } from "../../api/problems";
import { forEach } from "./bulk";

test("one refusal does not stop the rest, and is named", async () => {
  const result = await forEach(["a", "b", "c"], async (id) => {
    if (id === "b") throw new Problem(422, "form.invalid", "needs a form");
  });
  expect(result.done).toEqual(["a", "c"]);
  expect(result.refused.map(({ id, problem }) => [id, problem.code])).toEqual([["b", "form.invalid"]]);
});
