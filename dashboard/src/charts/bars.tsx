/** The last 24 h of one service: a quiet base line while it is up, peaks where it was not. */

import { STATUSES, type Status } from "../data/types";

/** Trouble is tall, so that it shows without its colour too. */
const HEIGHT: Readonly<Record<Status, number>> = { up: 4, muted: 3, unknown: 6, degraded: 9, down: 12 };
const FULL = 12;

/** One path per status, equal neighbours joined: five nodes whatever the number of buckets. */
export function barPath(bars: readonly (Status | null)[], status: Status): string {
  let path = "";
  for (let i = 0; i < bars.length; i++) {
    if (bars[i] !== status) continue;
    let end = i + 1;
    while (end < bars.length && bars[end] === status) end++;
    const height = HEIGHT[status];
    path += `M${i} ${FULL - height}h${end - i}v${height}h${i - end}z`;
    i = end;
  }
  return path;
}

/** The bar in words: the share of known time that each status had. */
export function barWords(bars: readonly (Status | null)[]): string {
  const known = bars.filter((b) => b !== null);
  if (known.length === 0) return "last 24 h: nothing known";
  const shares = STATUSES.map((s) => [s, known.filter((b) => b === s).length] as const);
  const words = shares
    .filter(([, n]) => n > 0)
    .map(([s, n]) => `${s} ${Math.round((100 * n) / known.length)} %`);
  return `last 24 h: ${words.join(", ")}`;
}

export function Bars({ bars }: { bars: readonly (Status | null)[] }) {
  const size = bars.length || 1;
  return (
    <svg
      class="bars"
      viewBox={`0 0 ${size} ${FULL}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={barWords(bars)}
    >
      <path class="bars-base" d={`M0 ${FULL - 1}h${size}v1h-${size}z`} />
      {STATUSES.map((status) => {
        const path = barPath(bars, status);
        return path && <path key={status} class={`fill-${status}`} d={path} />;
      })}
    </svg>
  );
}
