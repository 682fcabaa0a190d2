import { onBeforeUnmount, onMounted } from "vue";

/** A key press as a name: `j`, `?`, `Ctrl+Enter`, `g t` (two presses one after the other). */
export type KeyMap = Record<string, () => void>;

const SECOND_KEY_MS = 1_200;
const STORED_AS = "noria.keys";

/** Single-letter keys can be switched off (WCAG 2.1.4): speech input would press them by accident. */
export function keysAreOn(): boolean {
  return localStorage.getItem(STORED_AS) !== "off";
}
export function switchKeys(on: boolean): void {
  localStorage.setItem(STORED_AS, on ? "on" : "off");
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

export function keyName(event: KeyboardEvent): string {
  const control = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return control ? `Ctrl+${key}` : key;
}

/** Decides which action a press means, remembering a first press that starts a pair. */
export class KeySequence {
  private first = "";
  private firstAtMs = 0;

  constructor(private readonly actions: KeyMap) {}

  /** The action for this press, or null. */
  press(name: string, atMs: number): (() => void) | null {
    const pair =
      this.first && atMs - this.firstAtMs < SECOND_KEY_MS ? this.actions[`${this.first} ${name}`] : undefined;
    this.first = "";
    if (pair) return pair;
    if (Object.keys(this.actions).some((key) => key.startsWith(`${name} `))) {
      this.first = name;
      this.firstAtMs = atMs;
      return null;
    }
    return this.actions[name] ?? null;
  }
}

/** Listen for these keys while the calling component is shown. Keys pressed while typing or in a dialog are ignored. */
export function useKeys(actions: KeyMap): void {
  const sequence = new KeySequence(actions);
  const listen = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return;
    const name = keyName(event);
    const withControl = name.startsWith("Ctrl+");
    if (!withControl && (isTyping(event.target) || !keysAreOn())) return;
    if (name !== "Ctrl+k" && document.querySelector("dialog[open]")) return;
    const action = sequence.press(name, event.timeStamp);
    if (!action) return;
    event.preventDefault();
    action();
  };
  onMounted(() => document.addEventListener("keydown", listen));
  onBeforeUnmount(() => document.removeEventListener("keydown", listen));
}
