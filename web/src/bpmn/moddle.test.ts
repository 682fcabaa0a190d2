import { BpmnModdle, type Element } from "bpmn-moddle";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";

interface Property {
  name: string;
  type: string;
  default?: unknown;
  description: string;
}
interface Package {
  uri: string;
  types: { name: string; extends?: string[]; superClass?: string[]; properties: Property[] }[];
  enumerations: { name: string; literalValues: { name: string }[] }[];
}

const at = (path: string) => resolve(import.meta.dirname, "../../..", path);
const noria = JSON.parse(readFileSync(at("src/noria/design/bpmn/noria.moddle.json"), "utf-8")) as Package;
// moddle keeps what it is given, and writes full names into it.
const reader = () => new BpmnModdle({ noria: structuredClone(noria) });
const models = readdirSync(at("examples"), { recursive: true, encoding: "utf-8" }).filter((name) =>
  name.endsWith(".bpmn"),
);
const extended = noria.types.filter((type) => type.extends?.[0] !== "bpmn:FlowNode" && type.extends);

const attributes = (type: Package["types"][number]) =>
  type.properties.map((property) => `noria:${property.name}="${sample(property)}"`).join(" ");

function sample(property: Property): string {
  const words = noria.enumerations.find((one) => one.name === property.type)?.literalValues;
  if (words) return words.at(-1)!.name;
  return property.type === "Boolean" ? "true" : property.type === "Integer" ? "7" : `= ${property.name}`;
}

/** All elements below one, itself among them. */
function* within(element: Element): Generator<Element> {
  yield element;
  for (const { name } of element.$descriptor.properties) {
    if (["$parent", "incoming", "outgoing", "di", "bpmnElement"].includes(name)) continue;
    const value = element.get(name);
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value])
      if (item && typeof item === "object" && "$type" in item && owned(item as Element, element))
        yield* within(item as Element);
  }
}
const owned = (item: Element, parent: Element) => (item as unknown as { $parent?: Element }).$parent === parent;

describe("Noria's namespace as bpmn-moddle reads it", () => {
  test.each(models)("the example %s is read without a warning, and nothing of it is unknown", async (name) => {
    const xml = readFileSync(at(`examples/${name}`), "utf-8");
    const { rootElement, warnings } = await reader().fromXML(xml);
    expect(warnings).toEqual([]);
    const unknown = [...within(rootElement)].flatMap((element) => Object.keys(element.$attrs));
    expect(unknown.filter((attribute) => attribute.startsWith("noria:"))).toEqual([]);
  });

  test("a task's attributes are its own properties", async () => {
    const xml = readFileSync(at("examples/purchase/purchase.bpmn"), "utf-8");
    const { elementsById } = await reader().fromXML(xml);
    const said = [...xml.matchAll(/<(?:bpmn:)?userTask id="(\w+)"[^>]* noria:assignee="([^"]+)"/g)];
    expect(said.length).toBeGreaterThan(0);
    for (const [, id, assignee] of said)
      expect(elementsById[id!]!.get("noria:assignee")).toBe(
        assignee!.replaceAll("&#34;", '"').replaceAll("&quot;", '"'),
      );
  });

  test.each(extended.map((type) => [type.extends![0]!, type] as const))(
    "every attribute of %s is known to it",
    async (element, type) => {
      const moddle = reader();
      const local = element.replace("bpmn:", "");
      const tag = local[0]!.toLowerCase() + local.slice(1);
      // Written by moddle itself wherever the element may stand: what matters is the element, not what is around it.
      const created = moddle.create(
        element,
        Object.fromEntries(type.properties.map((property) => [`noria:${property.name}`, sample(property)])),
      );
      expect(Object.keys(created.$attrs)).toEqual([]);
      const { xml } = await moddle.toXML(created);
      expect(xml).toContain(`<bpmn:${tag} `);
      for (const written of attributes(type).split(/ (?=noria:)/)) expect(xml).toContain(written);
    },
  );

  test("elements of the namespace stand among the extensions", async () => {
    const inside = noria.types.filter((type) => type.superClass);
    const written = inside.map(
      (type) =>
        `<noria:${type.name.toLowerCase()} ${type.properties.map((property) => `${property.name}="v"`).join(" ")} />`,
    );
    const xml = `<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:noria="${noria.uri}" id="d"
      targetNamespace="t"><process id="p"><serviceTask id="work" noria:jobPriority="5"><extensionElements>
      ${written.join("")}</extensionElements></serviceTask></process></definitions>`;
    const { elementsById, warnings } = await reader().fromXML(xml);
    expect(warnings).toEqual([]);
    const work = elementsById["work"]!;
    expect(work.get("noria:jobPriority")).toBe("5");
    const values = (work.get("extensionElements") as Element).get("values") as Element[];
    expect(values.map((value) => value.$type)).toEqual(inside.map((type) => `noria:${type.name}`));
    for (const value of values) expect(Object.keys(value.$attrs)).toEqual([]);
  });

  test("every attribute says what it means", () => {
    const silent = noria.types.flatMap((type) => type.properties).filter((property) => !property.description);
    expect(silent).toEqual([]);
  });
});
