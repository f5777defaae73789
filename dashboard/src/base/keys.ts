/** Keyboard commands: single keys and two-key sequences, listed by the key sheet. */

export interface Binding {
  /** A key (`j`, `?`, `Escape`) or a sequence (`g w`), as `KeyboardEvent.key` spells them. */
  readonly keys: string;
  readonly label: string;
  readonly group: string;
  /** Works inside text fields too. */
  readonly always?: boolean;
  /** Returns false to leave the key to the browser. */
  readonly run: () => unknown;
}

export interface Press {
  readonly key: string;
  readonly at: number;
  readonly typing: boolean;
  readonly modified: boolean;
}

/** A second key counts as part of a sequence for this long. */
const SEQUENCE_MS = 1000;

export class Keymap {
  #bindings: Binding[] = [];
  #first: { key: string; at: number } | null = null;

  /** Add bindings; the latest of equal keys wins. Returns what removes them. */
  add(bindings: readonly Binding[]): () => void {
    this.#bindings = [...bindings, ...this.#bindings];
    return () => {
      this.#bindings = this.#bindings.filter((b) => !bindings.includes(b));
    };
  }

  list(): readonly Binding[] {
    const seen = new Set<string>();
    return this.#bindings.filter((b) => !seen.has(b.keys) && seen.add(b.keys));
  }

  /** Run what the key means here; true when it meant something. */
  press(press: Press): boolean {
    if (press.modified) return false;
    const first = this.#first;
    this.#first = null;
    const sequence = first && press.at - first.at <= SEQUENCE_MS ? `${first.key} ${press.key}` : "";
    const usable = this.#bindings.filter((b) => b.always || !press.typing);
    const hit =
      usable.find((b) => b.keys === sequence) ?? usable.find((b) => b.keys === press.key);
    if (hit) return hit.run() !== false;
    if (usable.some((b) => b.keys.startsWith(`${press.key} `))) {
      this.#first = { key: press.key, at: press.at };
    }
    return false;
  }
}

/** Whether keys typed at this element are text. */
export function isTyping(target: EventTarget | null): boolean {
  const element = target as Partial<HTMLElement> | null;
  if (!element || typeof element.tagName !== "string") return false;
  return element.isContentEditable === true || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
}
