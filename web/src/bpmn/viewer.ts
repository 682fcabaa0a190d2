import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";
import type Canvas from "diagram-js/lib/core/Canvas";
import type ElementRegistry from "diagram-js/lib/core/ElementRegistry";
import type { ConnectionLike, ElementLike } from "diagram-js/lib/core/Types";
import type Overlays from "diagram-js/lib/features/overlays/Overlays";

export interface Badge {
  readonly element: string;
  readonly text: string;
  readonly tone: "dark" | "light" | "count" | "token" | "incident";
  readonly title?: string;
}
export interface Paint {
  readonly fill: string;
  readonly text: string;
}
export interface Decoration {
  /** CSS classes per element id. */
  readonly markers?: ReadonlyMap<string, string>;
  readonly badges?: readonly Badge[];
  readonly paints?: ReadonlyMap<string, Paint>;
  /** Width in pixels of the band under a flow, per flow id. */
  readonly bands?: ReadonlyMap<string, number>;
}

const PADDING = 16;
/** Pixels at the lower edge that belong to the bpmn.io mark; nothing of the diagram is drawn behind it. */
const MARK_HEIGHT = 34;
/** Free pixels beside a diagram from which the mark, which stands on the right, touches nothing. */
const MARK_ROOM = 160;
const LARGEST_SCALE = 1.25;
const SVG = "http://www.w3.org/2000/svg";

/** One shown diagram: import, fit, decorate. All marks are put on again together, so that none is left over. */
export class DiagramView {
  private readonly viewer: NavigatedViewer;
  private undo: (() => void)[] = [];

  constructor(container: HTMLElement, wheel: boolean, onClick: (element: string) => void) {
    this.viewer = new NavigatedViewer({ container, zoomScroll: { enabled: wheel } });
    this.viewer.on("element.click", (event: { element: ElementLike }) => onClick(event.element.id));
  }

  async load(xml: string): Promise<void> {
    this.clear();
    await this.viewer.importXML(xml);
    this.fit();
  }

  /** Show the whole diagram, centred, never larger than a little over its natural size. */
  fit(): void {
    const canvas = this.viewer.get<Canvas>("canvas");
    const { inner, outer } = canvas.viewbox();
    if (!outer.width || !outer.height || !inner.width || !inner.height) return;
    // Beside the diagram the mark has room of its own; where the diagram fills the width, it gets the lower edge.
    const free = outer.width - (outer.height / (inner.height + 2 * PADDING)) * (inner.width + 2 * PADDING);
    const reserved = free > MARK_ROOM ? 0 : MARK_HEIGHT;
    const scale = Math.min(
      outer.width / (inner.width + 2 * PADDING),
      (outer.height - reserved) / (inner.height + 2 * PADDING),
      LARGEST_SCALE,
    );
    // The box must have the canvas's own proportions, or the diagram sticks to its upper left corner.
    const width = outer.width / scale;
    const height = outer.height / scale;
    canvas.viewbox({
      x: inner.x - (width - inner.width) / 2,
      y: inner.y - (height - reserved / scale - inner.height) / 2,
      width,
      height,
    });
  }

  resized(): void {
    this.viewer.get<Canvas>("canvas").resized();
    this.fit();
  }

  zoom(factor: number): void {
    const canvas = this.viewer.get<Canvas>("canvas");
    canvas.zoom(canvas.zoom() * factor);
  }

  decorate({ markers, badges = [], paints, bands }: Decoration): void {
    this.clear();
    const registry = this.viewer.get<ElementRegistry>("elementRegistry");
    const canvas = this.viewer.get<Canvas>("canvas");
    const overlays = this.viewer.get<Overlays>("overlays");
    for (const [id, classes] of markers ?? []) {
      if (!registry.get(id)) continue;
      for (const name of classes.split(" ")) {
        canvas.addMarker(id, name);
        this.undo.push(() => canvas.removeMarker(id, name));
      }
    }
    for (const [id, paint] of paints ?? []) this.paint(registry, id, paint);
    for (const [id, width] of bands ?? []) this.band(registry, id, width);
    for (const badge of badges) {
      const element = registry.get(badge.element);
      if (!element) continue;
      const html = document.createElement("div");
      html.className = `badge badge-${badge.tone}`;
      html.textContent = badge.text;
      if (badge.title) html.title = badge.title;
      const onFlow = "waypoints" in element;
      const overlay = overlays.add(badge.element, "noria", {
        position: onFlow ? middle(element as ConnectionLike) : place(badge.tone),
        html,
      });
      this.undo.push(() => overlays.remove(overlay));
    }
  }

  destroy(): void {
    this.viewer.destroy();
  }

  private clear(): void {
    for (const step of this.undo.splice(0)) step();
  }

  private paint(registry: ElementRegistry, id: string, { fill, text }: Paint): void {
    const visual = registry.getGraphics(id)?.querySelector<SVGElement>(".djs-visual");
    const shape = visual?.querySelector<SVGElement>(":scope > :is(rect, circle, polygon, path)");
    if (!visual || !shape) return;
    const labels = Array.from(visual.querySelectorAll<SVGElement>("text"));
    const before = shape.style.fill;
    const colours = labels.map((label) => label.style.fill);
    shape.style.fill = fill;
    for (const label of labels) label.style.fill = text;
    this.undo.push(() => {
      shape.style.fill = before;
      labels.forEach((label, at) => (label.style.fill = colours[at] ?? ""));
    });
  }

  /** A second, wide path under the flow: widening the flow itself would blow up its arrow head. */
  private band(registry: ElementRegistry, id: string, width: number): void {
    const visual = registry.getGraphics(id)?.querySelector<SVGElement>(".djs-visual");
    const path = visual?.querySelector<SVGElement>(":scope > path, :scope > polyline");
    if (!visual || !path || width <= 0) return;
    const band = document.createElementNS(SVG, path.tagName) as SVGElement;
    for (const name of ["d", "points"]) {
      const value = path.getAttribute(name);
      if (value) band.setAttribute(name, value);
    }
    band.setAttribute("class", "flow-band");
    band.style.strokeWidth = `${width}px`;
    visual.insertBefore(band, visual.firstChild);
    this.undo.push(() => band.remove());
  }
}

function place(tone: Badge["tone"]) {
  if (tone === "token") return { top: -12, right: 14 };
  if (tone === "count") return { top: -9, left: -12 };
  if (tone === "incident") return { top: -12, left: 16 };
  return { bottom: -2, left: 0 };
}

/** The middle of a flow, relative to its bounding box, for the white pill with the number. */
function middle(flow: ConnectionLike): { left: number; top: number } {
  const points = flow.waypoints;
  const lengths = points.slice(1).map((point, at) => {
    const from = points[at] ?? point;
    return Math.hypot(point.x - from.x, point.y - from.y);
  });
  let left = lengths.reduce((sum, length) => sum + length, 0) / 2;
  let at = 0;
  while (at < lengths.length - 1 && left > (lengths[at] ?? 0)) {
    left -= lengths[at] ?? 0;
    at += 1;
  }
  const from = points[at] ?? { x: 0, y: 0 };
  const to = points[at + 1] ?? from;
  const share = lengths[at] ? left / (lengths[at] ?? 1) : 0;
  const x = Math.min(...points.map((point) => point.x));
  const y = Math.min(...points.map((point) => point.y));
  return { left: from.x + (to.x - from.x) * share - x - 12, top: from.y + (to.y - from.y) * share - y - 8 };
}
