/** The colour of a series: a hash of what it is, so equal on all screens; never a status colour. */

import { hash32 } from "../base/hash";

export const PALETTE_SIZE = 10;

/** The palette place of each key; neighbours that collide move on to the next free place. */
export function colourPlaces(keys: readonly string[]): readonly number[] {
  const taken = new Set<number>();
  return keys.map((key) => {
    let place = hash32(key) % PALETTE_SIZE;
    while (taken.has(place) && taken.size < PALETTE_SIZE) place = (place + 1) % PALETTE_SIZE;
    taken.add(place);
    return place;
  });
}

/** Colours of the style sheet as the canvas needs them. */
export interface Palette {
  readonly text: string;
  readonly line: string;
  readonly grid: string;
  readonly series: readonly { readonly stroke: string; readonly fill: string }[];
}

/** Read the palette in force: only an element's computed colour resolves light and dark. */
export function readPalette(host: HTMLElement): Palette {
  const probe = host.appendChild(document.createElement("span"));
  const read = (token: string) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const series = Array.from({ length: PALETTE_SIZE }, (_, i) => {
    const stroke = read(`--series-${i}`);
    return { stroke, fill: stroke.replace(/^rgb\((.*)\)$/, "rgb($1, 0.12)") };
  });
  const palette = { text: read("--ink-3"), line: read("--line"), grid: read("--grid"), series };
  probe.remove();
  return palette;
}
