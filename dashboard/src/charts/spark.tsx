/** A small line without axes: the shape of the last hour. */

import type { Series } from "../data/series";

export const WIDTH = 100;
export const HEIGHT = 24;

/** The path of a series in a WIDTH by HEIGHT box; gaps lift the pen, one point is a dash. */
export function sparkPath(series: Pick<Series, "t" | "v">): string {
  const known = series.v.filter((v) => v !== null);
  const [first, last] = [series.t[0] ?? 0, series.t.at(-1) ?? 0];
  const low = Math.min(...known);
  const range = Math.max(...known) - low;
  const x = (t: number) => (last > first ? ((t - first) / (last - first)) * WIDTH : WIDTH);
  // A flat series runs in the middle: there is no scale to place it by.
  const y = (v: number) => (range > 0 ? HEIGHT - 2 - ((v - low) / range) * (HEIGHT - 4) : HEIGHT / 2);
  let path = "";
  let pen = false;
  series.t.forEach((t, i) => {
    const value = series.v[i] ?? null;
    if (value !== null) path += `${pen ? "L" : "M"}${x(t).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = value !== null;
  });
  return known.length === 1 ? `M0 ${HEIGHT / 2}H${WIDTH}` : path;
}

export function Spark({ series }: { series: Pick<Series, "t" | "v"> }) {
  return (
    <svg class="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path d={sparkPath(series)} />
    </svg>
  );
}
