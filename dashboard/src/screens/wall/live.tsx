/** One metric of one service, drawn and followed as samples arrive. */

import { untracked, useComputed, useSignal, useSignalEffect, type ReadonlySignal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { unitOf } from "../../base/format";
import { LineChart } from "../../charts/line";
import { TableTwin } from "../../charts/twin";
import { usePage } from "../../data/context";
import { emptyWords, sparseWords } from "../../data/density";
import { follow } from "../../data/samples";
import { SERIES_MAX, toSeries, type Series } from "../../data/series";
import type { MetricInfo } from "../../data/types";
import { Empty, Problem, Skeleton } from "../../ui/empty";

const HEIGHT = 150;
/** The live window moves on in steps of this, not with every frame. */
const STEP_MS = 5000;
/** A chart shows at least this much. */
const YOUNG_MS = 120_000;

interface LiveProps {
  readonly service: string;
  readonly metric: string;
  readonly info: MetricInfo | undefined;
  readonly minutes: number;
  /** "from-to" in seconds; "" follows the present. */
  readonly zoom: string;
  readonly onZoom: (zoom: string) => void;
  readonly onResume: () => void;
}

export function Live({ service, metric, info, minutes, zoom, onZoom, onResume }: LiveProps) {
  const { api, clock, store, zone, theme, keys } = usePage();
  const followed = useMemo(() => follow(api, service, metric, clock.read), [service, metric]);
  const table = useSignal(false);
  useSignalEffect(() => {
    void store.tick.value; // new samples: fetch the tail
    void untracked(followed.refresh);
  });
  useEffect(
    () => keys.add([{ keys: "l", label: "Resume the live chart", group: "Chart", run: onResume }]),
    [keys],
  );
  const samples = followed.samples.value;
  const all = useMemo(() => toSeries(samples ?? []), [samples]);
  const error = followed.problem.value;
  const window = useWindow(clock.now, minutes, zoom, all[0]?.t[0] ?? 0);
  const title = `${metric} of ${service}`;
  const shown = all.slice(0, SERIES_MAX);
  if (!samples) {
    return error ? (
      <Problem error={error} what="Chart" onRetry={followed.refresh} />
    ) : (
      <Skeleton rows={1} kind="chart" />
    );
  }
  const empty = emptyWords(all, samples.length, window, zone.value.value);
  const foot = (
    <Foot info={info} series={all} zoomed={window.zoomed} table={empty ? null : table} onResume={onResume} />
  );
  return (
    <div class={error ? "stale" : ""}>
      {error && <Problem error={error} what="Chart" onRetry={followed.refresh} />}
      {empty !== "" ? (
        <div class="chart-empty">
          <Empty>{empty}</Empty>
          {foot}
        </div>
      ) : table.value ? (
        <>
          <TableTwin title={title} series={shown} zone={zone.value.value} />
          {foot}
        </>
      ) : (
        <LineChart
          title={title}
          series={shown}
          unit={chartUnit(info)}
          from={window.from}
          to={window.to}
          height={HEIGHT}
          zone={zone.value.value}
          theme={theme.value}
          onZoom={(a, b) => onZoom(`${a / 1000}-${b / 1000}`)}
          onReset={onResume}
          foot={foot}
        />
      )}
    </div>
  );
}

interface FootProps {
  readonly info: MetricInfo | undefined;
  readonly series: readonly Series[];
  readonly zoomed: boolean;
  /** Absent where there is nothing to choose between. */
  readonly table: Signal<boolean> | null;
  readonly onResume: () => void;
}

function Foot({ info, series, zoomed, table, onResume }: FootProps) {
  const sparse = sparseWords(series);
  return (
    <span class="chart-foot">
      {sparse !== "" && <span data-testid="sparse">{sparse}</span>}
      <span>{unitWords(info)}</span>
      {series.length > SERIES_MAX && <span>first {SERIES_MAX} of {series.length} series</span>}
      {zoomed && (
        <button type="button" class="link-button" onClick={onResume}>
          Resume live (l)
        </button>
      )}
      {table && (
        <button type="button" class="link-button" onClick={() => (table.value = !table.value)}>
          {table.value ? "Show chart" : "Show table"}
        </button>
      )}
    </span>
  );
}

/** The unit of what is drawn: a counter's rate of seconds has none. */
function chartUnit(info: MetricInfo | undefined): string {
  const unit = info ? unitOf(info.name, info.unit) : "";
  return info?.metric_type === "counter" && unit !== "bytes" ? "" : unit;
}

function unitWords(info: MetricInfo | undefined): string {
  if (!info) return "";
  const told = unitOf(info.name, info.unit);
  const unit = told === "" ? "" : `${told} · `;
  return `${unit}${info.metric_type}${info.metric_type === "counter" ? ", per second" : ""}`;
}

/**
 * The window shown: the one marked by a zoom ("from-to" in seconds), else the last minutes; of
 * these only what there is data for, so that a young chart is not an empty one.
 */
function useWindow(now: ReadonlySignal<number>, minutes: number, zoom: string, first: number) {
  const end = useComputed(() => Math.ceil(now.value / STEP_MS) * STEP_MS);
  const marked = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(zoom);
  const [from, to] = [Number(marked?.[1]) * 1000, Number(marked?.[2]) * 1000];
  if (from < to) return { from, to, zoomed: true };
  const start = Math.min(first * 1000, end.value - YOUNG_MS);
  return { from: Math.max(end.value - minutes * 60_000, start), to: end.value, zoomed: false };
}
