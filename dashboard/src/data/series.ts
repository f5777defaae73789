/** Samples as the API stores them, made into columns for a chart. Pure. */

import type { MetricInfo } from "./types";

/** One line of a chart; `t` in epoch seconds, ascending; null marks a gap. */
export interface Series {
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly t: readonly number[];
  readonly v: readonly (number | null)[];
}

export const SERIES_MAX = 8;
/** A hole of more than this many usual steps is drawn as one. */
const GAP_STEPS = 3;

/** The identity of a series within its metric. */
export function seriesKey(sample: MetricInfo): string {
  const pairs = Object.entries(sample.labels).filter(([name]) => !HIDDEN.has(name));
  if (sample.instance_id !== "") pairs.push(["instance", sample.instance_id]);
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.map(([name, value]) => `${name}=${value}`).join(", ");
}

/** Labels that are the same on all lines of one service's metric. */
const HIDDEN = new Set(["__name__", "service", "service_name", "instance", "instance_id"]);

/** Group samples, in any order, into series; counters become a rate per second. */
export function toSeries(samples: readonly MetricInfo[]): readonly Series[] {
  const groups = new Map<string, MetricInfo[]>();
  for (const sample of samples) {
    if (sample.timestamp === null || sample.value === null) continue;
    const key = seriesKey(sample);
    const group = groups.get(key);
    if (group) group.push(sample);
    else groups.set(key, [sample]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, group]) => oneSeries(key, group));
}

function oneSeries(key: string, samples: readonly MetricInfo[]): Series {
  const points = samples
    .map((s) => [(s.timestamp ?? 0) / 1000, s.value ?? 0] as const)
    .sort((a, b) => a[0] - b[0])
    .filter(([t], i, all) => i === 0 || t !== all[i - 1]?.[0]);
  const first = samples[0];
  const values = first?.metric_type === "counter" ? rates(points) : points;
  const { t, v } = withGaps(values);
  return { key, labels: first?.labels ?? {}, t, v };
}

type Point = readonly [t: number, value: number];

/** The increase per second between neighbours; a fall is a restart from zero. */
export function rates(points: readonly Point[]): readonly Point[] {
  return points.slice(1).map(([t, value], i) => {
    const [before, old] = points[i] as Point;
    const increase = value >= old ? value - old : value;
    return [t, increase / (t - before)] as const;
  });
}

function withGaps(points: readonly Point[]): { t: number[]; v: (number | null)[] } {
  const usual = usualStep(points.map(([t]) => t));
  const t: number[] = [];
  const v: (number | null)[] = [];
  points.forEach(([at, value], i) => {
    const before = points[i - 1]?.[0];
    if (before !== undefined && usual > 0 && at - before > GAP_STEPS * usual) {
      t.push(before + usual);
      v.push(null);
    }
    t.push(at);
    v.push(value);
  });
  return { t, v };
}

/** The usual distance of ascending instants; 0 where there are fewer than two. */
export function usualStep(t: readonly number[]): number {
  return median(t.slice(1).map((at, i) => at - (t[i] ?? at)));
}

function median(values: readonly number[]): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Join a freshly fetched tail to what is there; both in any order, nothing twice. */
export function withTail(
  old: readonly MetricInfo[],
  tail: readonly MetricInfo[],
  oldest: number,
): readonly MetricInfo[] {
  const name = (s: MetricInfo) => `${s.timestamp} ${seriesKey(s)}`;
  const fresh = new Set(tail.map(name));
  return [...tail, ...old.filter((s) => (s.timestamp ?? 0) >= oldest && !fresh.has(name(s)))];
}

/** Columns on one common time axis; null where a series has no sample of that instant. */
export function align(series: readonly Series[]): [number[], ...(number | null | undefined)[][]] {
  const axis = [...new Set(series.flatMap((s) => s.t))].sort((a, b) => a - b);
  const place = new Map(axis.map((t, i) => [t, i]));
  // undefined is "no sample here" and is bridged; null is a gap and is not.
  const columns = series.map((s) => {
    const column = new Array<number | null | undefined>(axis.length).fill(undefined);
    s.t.forEach((t, i) => (column[place.get(t) ?? 0] = s.v[i] ?? null));
    return column;
  });
  return [axis, ...columns];
}

export interface Summary {
  readonly last: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly maxAt: number | null;
}

export function summary(series: Series): Summary {
  let [last, min, max, maxAt]: (number | null)[] = [null, null, null, null];
  series.v.forEach((value, i) => {
    if (value === null) return;
    last = value;
    if (min === null || min === undefined || value < min) min = value;
    if (max === null || max === undefined || value > max) [max, maxAt] = [value, series.t[i] ?? null];
  });
  return { last: last ?? null, min: min ?? null, max: max ?? null, maxAt: maxAt ?? null };
}
