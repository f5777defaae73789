/** The keyboard on the wall: search, and walking from tile to tile. */

import { useEffect } from "preact/hooks";
import { usePage } from "../../data/context";
import { SEARCH_ID } from "./filters";

export function useWallKeys(): void {
  const { keys } = usePage();
  useEffect(
    () =>
      keys.add([
        { keys: "/", label: "Find a service", group: "Wall", run: focusSearch },
        { keys: "j", label: "Next service", group: "Wall", run: () => step(1) },
        { keys: "k", label: "Previous service", group: "Wall", run: () => step(-1) },
        { keys: "Enter", label: "Open the service", group: "Wall", run: openFocused },
      ]),
    [keys],
  );
}

function focusSearch(): void {
  const field = document.getElementById(SEARCH_ID) as HTMLInputElement | null;
  field?.focus();
  field?.select();
}

function step(by: 1 | -1): void {
  const tiles = [...document.querySelectorAll<HTMLElement>("a.tile")];
  const at = tiles.findIndex((tile) => tile === document.activeElement);
  const next = at < 0 ? (by > 0 ? 0 : tiles.length - 1) : at + by;
  tiles[next]?.focus();
  tiles[next]?.scrollIntoView({ block: "nearest" });
}

/** A focused link follows Enter by itself; without a focus it opens the first, the worst. */
function openFocused(): boolean {
  if (document.activeElement !== document.body) return false;
  document.querySelector<HTMLElement>("a.tile")?.click();
  return true;
}
