/** How densely a metric is sampled, in words, where that explains a chart that looks empty. Pure. */

import { clockText, span, type Zone } from "../base/format";
import { usualStep, type Series } from "./series";

/** From here on a line is a line. */
const FEW = 10;
/** Below this step a chart fills while one looks at it. */
const SLOW_S = 5;
const NAMED: Readonly<Record<number, string>> = { 60: "a minute", 3600: "an hour", 86_400: "a day" };

/** "one sample a minute", for charts of few points; else "". */
export function sparseWords(series: readonly Series[]): string {
  const longest = series.reduce<readonly number[]>((best, s) => (s.t.length > best.length ? s.t : best), []);
  if (longest.length === 0 || longest.length >= FEW) return "";
  if (longest.length === 1) return "one sample so far";
  const step = Math.round(usualStep(longest));
  if (step < SLOW_S) return "";
  return `one sample ${NAMED[step] ?? `every ${span(step * 1000)}`}`;
}

interface Window {
  readonly from: number;
  readonly to: number;
}

/** Why the window is empty, and where the nearest sample is; "" where it is not. */
export function emptyWords(series: readonly Series[], held: number, window: Window, zone: Zone): string {
  const times = series.flatMap((s) => s.t.map((t) => t * 1000));
  if (held === 0) return "No sample in the last hour.";
  if (times.length === 0) return "One sample so far; a rate needs two.";
  if (times.some((t) => t >= window.from && t <= window.to)) return "";
  const middle = (window.from + window.to) / 2;
  const nearest = times.reduce((best, t) => (Math.abs(t - middle) < Math.abs(best - middle) ? t : best));
  return `No sample in these ${span(window.to - window.from)}; the nearest is of ${clockText(nearest, nearest, zone)}.`;
}
