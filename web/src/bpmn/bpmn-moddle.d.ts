/** What of bpmn-moddle is used here: the package's own types describe BPMN's elements, not its reader. */
declare module "bpmn-moddle" {
  export interface Element {
    readonly $type: string;
    /** What was written there and belongs to no known property. */
    readonly $attrs: Readonly<Record<string, unknown>>;
    readonly $descriptor: { readonly properties: readonly { readonly name: string }[] };
    get(name: string): unknown;
  }
  export class BpmnModdle {
    constructor(packages?: Readonly<Record<string, unknown>>);
    fromXML(xml: string): Promise<{
      rootElement: Element;
      elementsById: Record<string, Element>;
      warnings: readonly { message: string }[];
    }>;
    create(type: string, properties: Readonly<Record<string, unknown>>): Element;
    toXML(element: Element): Promise<{ xml: string }>;
  }
}
