import { h } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** What the pad says; given by the caller in the reader's language. */
export interface SignatureTexts {
  readonly label: string;
  readonly clear: string;
  readonly use: string;
}

const WIDTH = 480;
const HEIGHT = 160;

/** A canvas to sign on by mouse, pen or finger; gives a PNG with a transparent ground. */
export function SignaturePad({ texts, onSigned }: { texts: SignatureTexts; onSigned: (file: File) => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drawn, setDrawn] = useState(false);

  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    context.lineWidth = 3;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.strokeStyle = "#10202e";
  }, []);

  const at = (event: PointerEvent): [number, number] => {
    const box = canvas.current?.getBoundingClientRect() ?? new DOMRect(0, 0, WIDTH, HEIGHT);
    return [((event.clientX - box.left) * WIDTH) / box.width, ((event.clientY - box.top) * HEIGHT) / box.height];
  };
  const begin = (event: PointerEvent) => {
    canvas.current?.setPointerCapture(event.pointerId);
    const context = canvas.current?.getContext("2d");
    context?.beginPath();
    context?.moveTo(...at(event));
  };
  const go = (event: PointerEvent) => {
    if (!canvas.current?.hasPointerCapture(event.pointerId)) return;
    const context = canvas.current.getContext("2d");
    context?.lineTo(...at(event));
    context?.stroke();
    setDrawn(true);
  };
  const clear = () => {
    canvas.current?.getContext("2d")?.clearRect(0, 0, WIDTH, HEIGHT);
    setDrawn(false);
  };
  const use = () =>
    canvas.current?.toBlob((blob) => blob && onSigned(new File([blob], "signature.png", { type: "image/png" })));

  return h("div", { class: "signature" }, [
    h("canvas", {
      ref: canvas,
      width: WIDTH,
      height: HEIGHT,
      class: "signature-pad",
      role: "img",
      "aria-label": texts.label,
      onPointerDown: begin,
      onPointerMove: go,
    }),
    h("div", { class: "signature-actions" }, [
      h("button", { type: "button", class: "btn", disabled: !drawn, onClick: clear }, texts.clear),
      h("button", { type: "button", class: "btn primary", disabled: !drawn, onClick: use }, texts.use),
    ]),
  ]);
}
