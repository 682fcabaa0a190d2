import type { InstanceDetail } from "../../api/types";
import type { Badge, Decoration } from "../../bpmn/viewer";

/** How an instance is drawn on its model: where it was, which flows it took, where its tokens are, what is stuck. */
export function instanceDecoration(instance: InstanceDetail, visits: (count: number) => string): Decoration {
  const markers = new Map<string, string>();
  const badges: Badge[] = [];
  for (const { element_id, count } of instance.visited) {
    markers.set(element_id, "visited");
    if (count > 1) badges.push({ element: element_id, text: `×${count}`, tone: "count", title: visits(count) });
  }
  for (const { flow_id } of instance.taken_flows) markers.set(flow_id, "taken");
  const tokens = new Map<string, number>();
  for (const { element, state } of instance.tokens) {
    const stuck = state === "incident" || markers.get(element.id) === "incident";
    markers.set(element.id, stuck ? "incident" : "current");
    tokens.set(element.id, (tokens.get(element.id) ?? 0) + 1);
  }
  for (const [element, count] of tokens) badges.push({ element, text: String(count), tone: "token" });
  for (const { element, message } of instance.incidents_list) {
    markers.set(element.id, "incident");
    badges.push({ element: element.id, text: "!", tone: "incident", title: message });
  }
  return { markers, badges };
}
