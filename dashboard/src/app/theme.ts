/** Light, dark, or as the system says; remembered by this browser. */

import { computed, effect, signal, type ReadonlySignal } from "@preact/signals";

export const CHOICES = ["auto", "light", "dark"] as const;
export type Choice = (typeof CHOICES)[number];

export interface Theme {
  readonly choice: ReadonlySignal<Choice>;
  readonly shown: ReadonlySignal<"light" | "dark">;
  next(): void;
}

/** Also read by `theme-boot`, which sets the attribute before the first paint. */
const KEY = "alicia.theme";

/** `storage` is asked for at each use, since a browser may refuse even the asking. */
export function createTheme(
  root: HTMLElement,
  storage: () => Storage,
  dark: MediaQueryList,
): Theme {
  const stored = CHOICES.find((c) => c === read(storage)) ?? "auto";
  const choice = signal<Choice>(stored);
  const systemDark = signal(dark.matches);
  dark.addEventListener("change", (e) => (systemDark.value = e.matches));
  effect(() => {
    if (choice.value === "auto") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", choice.value);
  });
  return {
    choice,
    shown: computed(() => {
      if (choice.value !== "auto") return choice.value;
      return systemDark.value ? "dark" : "light";
    }),
    next() {
      const at = CHOICES.indexOf(choice.value);
      choice.value = CHOICES[(at + 1) % CHOICES.length] ?? "auto";
      write(storage, choice.value);
    },
  };
}

/** Without storage the choice lasts as long as the page. */
function read(storage: () => Storage): string | null {
  try {
    return storage().getItem(KEY);
  } catch {
    return null;
  }
}

function write(storage: () => Storage, choice: Choice): void {
  try {
    storage().setItem(KEY, choice);
  } catch {
    return;
  }
}
