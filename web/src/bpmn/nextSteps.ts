/** What comes after the elements that are active now, read from the model's sequence flows. */

export interface FlowGraph {
  readonly nameOf: ReadonlyMap<string, string>;
  readonly kindOf: ReadonlyMap<string, string>;
  readonly targetsOf: ReadonlyMap<string, readonly string[]>;
}

const STOPS_AT = /(?:task|endEvent|callActivity|subProcess|intermediateCatchEvent)$/i;

export function readFlows(xml: string): FlowGraph {
  const model = new DOMParser().parseFromString(xml, "text/xml");
  const nameOf = new Map<string, string>();
  const kindOf = new Map<string, string>();
  const targetsOf = new Map<string, string[]>();
  for (const node of Array.from(model.getElementsByTagName("*"))) {
    const id = node.getAttribute("id");
    if (!id) continue;
    const kind = node.localName ?? node.tagName;
    nameOf.set(id, node.getAttribute("name") ?? "");
    kindOf.set(id, kind);
    if (kind !== "sequenceFlow") continue;
    const source = node.getAttribute("sourceRef") ?? "";
    targetsOf.set(source, [...(targetsOf.get(source) ?? []), node.getAttribute("targetRef") ?? ""]);
  }
  return { nameOf, kindOf, targetsOf };
}

/** The next steps a person would name, looking through gateways; without the active ones, in the order met. */
export function nextSteps(graph: FlowGraph, active: readonly string[]): { id: string; name: string }[] {
  const found: { id: string; name: string }[] = [];
  const seen = new Set<string>(active);
  const queue = active.flatMap((id) => graph.targetsOf.get(id) ?? []);
  for (let at = 0; at < queue.length; at += 1) {
    const id = queue[at] ?? "";
    if (seen.has(id)) continue;
    seen.add(id);
    if (STOPS_AT.test(graph.kindOf.get(id) ?? "")) found.push({ id, name: graph.nameOf.get(id) || id });
    else queue.push(...(graph.targetsOf.get(id) ?? []));
  }
  return found;
}
