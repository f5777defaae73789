/** A line chart over time (uPlot), with a legend of values at the cursor. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { clockText, measure, type Zone } from "../base/format";
import { align, summary, type Series } from "../data/series";
import { colourPlaces, readPalette } from "./colours";
import { lineOptions, type LineHooks } from "./options";

export interface LineProps {
  readonly title: string;
  readonly series: readonly Series[];
  /** Of the values; "" for none. */
  readonly unit: string;
  /** The window shown, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly zone: Zone;
  /** Drawn anew when it changes: the canvas does not see style sheets. */
  readonly theme: string;
  readonly onZoom: LineHooks["onZoom"];
  readonly onReset: () => void;
  /** Stands at the end of the legend. */
  readonly foot: ComponentChildren;
}

/** The chart in words, for those who do not see it. */
export function chartWords(title: string, series: readonly Series[], unit: string, zone: Zone): string {
  const [first] = series;
  if (!first) return `${title}: no data`;
  const s = summary(first);
  const peak = s.maxAt === null ? "" : ` at ${clockText(s.maxAt * 1000, s.maxAt * 1000, zone)}`;
  const more = series.length > 1 ? `, first of ${series.length} series` : "";
  return `${title}: last ${measure(s.last, unit)}, max ${measure(s.max, unit)}${peak}${more}`;
}

export function LineChart(props: LineProps) {
  const { title, series, unit, zone } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const cursor = useSignal<number | null>(null);
  const data = useMemo(() => align(series), [series]);
  const identity = series.map((s) => s.key).join("\n");

  usePlot(box, plot, props, identity, (index) => (cursor.value = index));
  useLayoutEffect(() => {
    plot.current?.batch(() => {
      plot.current?.setData(data as uPlot.AlignedData, false);
      plot.current?.setScale("x", { min: props.from / 1000, max: props.to / 1000 });
    });
  }, [data, props.from, props.to, identity, unit, zone, props.theme, props.height]);

  const index = cursor.value;
  const at = index === null ? null : (data[0][index] ?? null);
  return (
    <figure class="line" data-testid="chart" data-points={data[0].length}>
      <div
        ref={box}
        class="line-plot"
        tabIndex={0}
        role="img"
        aria-label={chartWords(title, series, unit, zone)}
        onKeyDown={(e) => plot.current && moveCursor(e, plot.current, props.onReset)}
        onDblClick={props.onReset}
      />
      <Legend series={series} unit={unit} data={data} index={index} at={at} zone={zone}>
        {props.foot}
      </Legend>
    </figure>
  );
}

function usePlot(
  box: { current: HTMLDivElement | null },
  plot: { current: uPlot | null },
  props: LineProps,
  identity: string,
  onCursor: LineHooks["onCursor"],
): void {
  const zoom = useRef(props.onZoom);
  zoom.current = props.onZoom;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const size = { width: element.clientWidth, height: props.height };
    const hooks = { onCursor, onZoom: (a: number, b: number) => zoom.current(a, b) };
    const empty: uPlot.AlignedData = [[], ...props.series.map(() => [])];
    const options = lineOptions(props.series, props.unit, size, props.zone, readPalette(element), hooks);
    const made = new uPlot(options, empty, element);
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [identity, props.unit, props.zone, props.theme, props.height]);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const watcher = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height: props.height });
    });
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [props.height]);
}

function moveCursor(press: KeyboardEvent, u: uPlot, reset: () => void): void {
  const axis = u.data[0];
  const step = { ArrowLeft: -1, ArrowRight: 1 }[press.key];
  if (press.key === "Escape") reset();
  if (step === undefined || axis.length === 0) return;
  press.preventDefault();
  const place = Math.min(axis.length - 1, Math.max(0, (u.cursor.idx ?? axis.length) + step));
  u.setCursor({ left: u.valToPos(axis[place] ?? 0, "x"), top: u.bbox.height / 4 });
}

interface LegendProps {
  readonly series: readonly Series[];
  readonly unit: string;
  readonly data: ReturnType<typeof align>;
  readonly index: number | null;
  readonly at: number | null;
  readonly zone: Zone;
  readonly children: ComponentChildren;
}

/** Values at the cursor; without a cursor the last ones. */
function Legend({ series, unit, data, index, at, zone, children }: LegendProps) {
  const places = colourPlaces(series.map((s) => s.key));
  return (
    <figcaption class="legend">
      <span class="legend-time">{at === null ? "last" : clockText(at * 1000, at * 1000, zone)}</span>
      {series.map((s, i) => (
        <span key={s.key} class="legend-item">
          <span class={`swatch swatch-${places[i]}`} />
          {series.length > 1 && <span class="legend-name">{s.key}</span>}
          <b>{measure(index === null ? summary(s).last : (data[i + 1]?.[index] as number | null), unit)}</b>
        </span>
      ))}
      {children}
    </figcaption>
  );
}
