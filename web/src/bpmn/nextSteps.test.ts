import { expect, test } from "vitest";
import { nextSteps, type FlowGraph } from "./nextSteps";

function graph(kinds: Record<string, string>, flows: [string, string][]): FlowGraph {
  const targetsOf = new Map<string, string[]>();
  for (const [from, to] of flows) targetsOf.set(from, [...(targetsOf.get(from) ?? []), to]);
  return {
    kindOf: new Map(Object.entries(kinds)),
    nameOf: new Map(Object.keys(kinds).map((id) => [id, id.toUpperCase()])),
    targetsOf,
  };
}
const kinds = {
  review: "userTask",
  choice: "exclusiveGateway",
  final: "userTask",
  join: "exclusiveGateway",
  order: "serviceTask",
  end: "endEvent",
};
const purchase = graph(kinds, [
  ["review", "choice"],
  ["choice", "final"],
  ["choice", "join"],
  ["final", "join"],
  ["join", "order"],
  ["order", "end"],
]);
const names = (active: string[], of = purchase) => nextSteps(of, active).map((step) => step.id);

test("looks through gateways to every step that may come", () => {
  expect(names(["review"])).toEqual(["final", "order"]);
});

test("names the end as the last step", () => {
  expect(names(["order"])).toEqual(["end"]);
});

test("a loop comes to an end and does not name what is active", () => {
  const loop = graph({ a: "userTask", g: "exclusiveGateway" }, [
    ["a", "g"],
    ["g", "a"],
  ]);
  expect(names(["a"], loop)).toEqual([]);
});
