import { reactive } from "vue";

export type Tone = "good" | "bad" | "plain";
export interface Toast {
  id: number;
  tone: Tone;
  text: string;
}

const SHOWN_MS = 5_000;
let last = 0;
export const toasts = reactive<Toast[]>([]);

/** Say something in passing; it is read aloud by screen readers and goes away by itself. */
export function say(text: string, tone: Tone = "plain"): void {
  const id = ++last;
  toasts.push({ id, tone, text });
  window.setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  const at = toasts.findIndex((toast) => toast.id === id);
  if (at >= 0) toasts.splice(at, 1);
}
