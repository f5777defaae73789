/** The live chart: any metric of any service, followed as samples arrive. */

import { useComputed, useSignal, useSignalEffect, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { oneOf, param, text, type Param } from "../../base/params";
import { LineChart } from "../../charts/line";
import { TableTwin } from "../../charts/twin";
import { usePage } from "../../data/context";
import { follow } from "../../data/samples";
import { SERIES_MAX, toSeries } from "../../data/series";
import { telling } from "../../data/sparks";
import type { MetricInfo, Service, ServiceMetrics } from "../../data/types";
import { Card } from "../../ui/card";
import { Combobox } from "../../ui/combobox";
import { Empty, Problem, Skeleton } from "../../ui/empty";
import { useServiceMetrics } from "./metrics";

const RANGES = { "15m": 15, "5m": 5, "1h": 60 } as const;
type Range = keyof typeof RANGES;
const RANGE_WORDS = ["15m", "5m", "1h"] as const satisfies readonly [Range, ...Range[]];
const RANGES_SHOWN = ["5m", "15m", "1h"] as const;
const HEIGHT = 150;
/** The live window moves on in steps of this, not with every frame. */
const STEP_MS = 5000;

export function ChartCard({ services }: { services: readonly Service[] }) {
  const { router } = usePage();
  const wanted = useMemo(
    () => ({
      service: param(router, "cs", text),
      metric: param(router, "cm", text),
      range: param(router, "range", oneOf(...RANGE_WORDS)),
      zoom: param(router, "zoom", text),
    }),
    [router],
  );
  const names = services.map((s) => s.service_name).sort();
  const service = wanted.service.value.value || defaultService(names);
  const known = useServiceMetrics(service);
  const metric = wanted.metric.value.value || defaultMetric(known.value.value);
  const metrics = [...new Set((known.value.value?.metrics ?? []).map((m) => m.name))].sort();
  const range = wanted.range.value.value;
  return (
    <Card
      area="chart"
      label="Live chart"
      title="Live"
      tools={
        <>
          <div class="pickers">
            <Combobox
              label="Service"
              value={service}
              options={names}
              onPick={(name) => router.set({ cs: name, cm: null, zoom: null })}
            />
            <Combobox label="Metric" value={metric} options={metrics} onPick={wanted.metric.set} />
          </div>
          <RangePicker range={range} pick={(r) => router.set({ range: r === RANGE_WORDS[0] ? null : r, zoom: null })} />
        </>
      }
    >
      {metric === "" ? (
        <Waiting known={known.value.value} service={service} />
      ) : (
        <Live
          key={`${service}\n${metric}`}
          service={service}
          metric={metric}
          info={known.value.value?.metrics.find((m) => m.name === metric)}
          minutes={RANGES[range]}
          zoom={wanted.zoom}
        />
      )}
    </Card>
  );
}

/** The collector measures the machine it runs on, so there is something to see at once. */
function defaultService(names: readonly string[]): string {
  return names.find((n) => n === "metrics_collector") ?? names[0] ?? "";
}

function defaultMetric(known: ServiceMetrics | null): string {
  const metrics = known?.metrics ?? [];
  return metrics.find((m) => m.name === "cpu_percent")?.name ?? telling(metrics)?.name ?? "";
}

function RangePicker({ range, pick }: { range: Range; pick: (range: Range) => void }) {
  return (
    <div class="segments" role="group" aria-label="Range">
      {RANGES_SHOWN.map((r) => (
        <button key={r} type="button" aria-pressed={r === range} onClick={() => pick(r)}>
          {r}
        </button>
      ))}
    </div>
  );
}

function Waiting({ known, service }: { known: ServiceMetrics | null; service: string }) {
  if (service !== "" && !known) return <Skeleton rows={1} kind="chart" />;
  return (
    <Empty command="alicia push temperature=21.5 --service kitchen">
      {service === "" ? "No service has sent a metric yet." : `${service} has sent no metric yet.`}
    </Empty>
  );
}

interface LiveProps {
  readonly service: string;
  readonly metric: string;
  readonly info: MetricInfo | undefined;
  readonly minutes: number;
  readonly zoom: Param<string>;
}

function Live({ service, metric, info, minutes, zoom }: LiveProps) {
  const { api, clock, store, zone, theme, keys } = usePage();
  const followed = useMemo(() => follow(api, service, metric, clock.read), [service, metric]);
  const table = useSignal(false);
  useSignalEffect(() => {
    void store.tick.value; // new samples: fetch the tail
    void followed.refresh();
  });
  const resume = () => zoom.set("");
  useEffect(
    () => keys.add([{ keys: "l", label: "Resume the live chart", group: "Chart", run: resume }]),
    [keys],
  );
  const samples = followed.samples.value;
  const all = useMemo(() => toSeries(samples ?? []), [samples]);
  const error = followed.problem.value;
  const window = useWindow(clock.now, minutes, zoom.value.value);
  const title = `${metric} of ${service}`;
  const shown = all.slice(0, SERIES_MAX);
  if (!samples) {
    return error ? (
      <Problem error={error} what="Chart" onRetry={followed.refresh} />
    ) : (
      <Skeleton rows={1} kind="chart" />
    );
  }
  const foot = (
    <span class="chart-foot">
      <span>{unitWords(info)}</span>
      {all.length > SERIES_MAX && <span>first {SERIES_MAX} of {all.length} series</span>}
      {window.zoomed && (
        <button type="button" class="link-button" onClick={resume}>
          Resume live (l)
        </button>
      )}
      <button type="button" class="link-button" onClick={() => (table.value = !table.value)}>
        {table.value ? "Show chart" : "Show table"}
      </button>
    </span>
  );
  return (
    <div class={error ? "stale" : ""}>
      {error && <Problem error={error} what="Chart" onRetry={followed.refresh} />}
      {table.value ? (
        <>
          <TableTwin title={title} series={shown} zone={zone.value.value} />
          {foot}
        </>
      ) : (
        <LineChart
          title={title}
          series={shown}
          from={window.from}
          to={window.to}
          height={HEIGHT}
          zone={zone.value.value}
          theme={theme.value}
          onZoom={(a, b) => zoom.set(`${a / 1000}-${b / 1000}`, "push")}
          onReset={resume}
          foot={foot}
        />
      )}
    </div>
  );
}

function unitWords(info: MetricInfo | undefined): string {
  if (!info) return "";
  const unit = info.unit === "" ? "" : `${info.unit} · `;
  return `${unit}${info.metric_type}${info.metric_type === "counter" ? ", per second" : ""}`;
}

/** The window shown: the last minutes, or the one marked by a zoom ("from-to" in seconds). */
function useWindow(now: ReadonlySignal<number>, minutes: number, zoom: string) {
  const end = useComputed(() => Math.ceil(now.value / STEP_MS) * STEP_MS);
  const marked = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(zoom);
  const [from, to] = [Number(marked?.[1]) * 1000, Number(marked?.[2]) * 1000];
  if (from < to) return { from, to, zoomed: true };
  return { from: end.value - minutes * 60_000, to: end.value, zoomed: false };
}
