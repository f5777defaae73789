/** How our line charts look and move: the options of uPlot. */

import type uPlot from "uplot";
import { clockText, ticks, type Zone } from "../base/format";
import type { Series } from "../data/series";
import { colourPlaces, type Palette } from "./colours";

export interface LineHooks {
  readonly onCursor: (index: number | null) => void;
  /** A window was marked by dragging; epoch milliseconds. */
  readonly onZoom: (from: number, to: number) => void;
}

const AXIS_FONT = "11px ui-sans-serif, system-ui, sans-serif";
const HOUR_S = 3600;

export function lineOptions(
  series: readonly Series[],
  unit: string,
  size: { width: number; height: number },
  zone: Zone,
  palette: Palette,
  hooks: LineHooks,
): uPlot.Options {
  const places = colourPlaces(series.map((s) => s.key));
  return {
    ...size,
    // A zoom goes through the address first; the answer draws it.
    cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 7 }, y: false },
    legend: { show: false },
    select: { show: true, left: 0, top: 0, width: 0, height: 0 },
    scales: { x: { time: true, auto: false }, y: { range: yRange } },
    series: [{}, ...series.map((_, i) => lineStyle(palette.series[places[i] ?? 0], series.length === 1))],
    axes: [xAxis(zone, palette), yAxis(unit, palette)],
    padding: [8, 8, 0, 0],
    hooks: {
      setCursor: [(u) => hooks.onCursor(u.cursor.idx ?? null)],
      setSelect: [(u) => zoomed(u, hooks)],
    },
  };
}

function zoomed(u: uPlot, hooks: LineHooks): void {
  const { left, width } = u.select;
  if (width < 4) return;
  const [from, to] = [u.posToVal(left, "x"), u.posToVal(left + width, "x")];
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  hooks.onZoom(Math.round(from * 1000), Math.round(to * 1000));
}

function lineStyle(colour: Palette["series"][number] | undefined, alone: boolean): uPlot.Series {
  return {
    ...(colour ? { stroke: colour.stroke } : {}),
    ...(colour && alone ? { fill: colour.fill } : {}),
    width: 1.5,
    points: { show: (u, i) => (u.data[i]?.length ?? 0) < 3 },
  };
}

/** Zero belongs to the picture unless the values are all far from it. */
function yRange(_u: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  const low = min >= 0 && min < max * 0.6 ? 0 : min;
  const pad = (max - low || Math.abs(max) || 1) * 0.1;
  return [low === 0 ? 0 : low - pad, max + pad];
}

function xAxis(zone: Zone, palette: Palette): uPlot.Axis {
  return {
    stroke: palette.text,
    font: AXIS_FONT,
    size: 26,
    gap: 4,
    space: 72,
    grid: { show: false },
    ticks: { stroke: palette.line, width: 1, size: 4 },
    values: (_u, splits) => splits.map((t) => tickText(t, (splits[1] ?? t) - (splits[0] ?? t), zone)),
  };
}

function tickText(t: number, step: number, zone: Zone): string {
  if (step >= 12 * HOUR_S) return clockText(t * 1000, 0, zone).split(" ").slice(0, 2).join(" ");
  const time = clockText(t * 1000, t * 1000, zone);
  return step < 60 ? time : time.slice(0, 5);
}

function yAxis(unit: string, palette: Palette): uPlot.Axis {
  return {
    stroke: palette.text,
    font: AXIS_FONT,
    size: 52,
    gap: 6,
    space: 36,
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
    values: (_u, splits) => [...ticks(splits, unit)],
  };
}
