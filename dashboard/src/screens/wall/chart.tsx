/** The live chart's card: which metric of which service, and how far back. */

import { useMemo } from "preact/hooks";
import { oneOf, param, text } from "../../base/params";
import { usePage } from "../../data/context";
import { telling, type Sparks } from "../../data/sparks";
import type { Resource } from "../../data/resource";
import type { Service, ServiceMetrics } from "../../data/types";
import { Card } from "../../ui/card";
import { Combobox } from "../../ui/combobox";
import { Empty, Problem, Skeleton } from "../../ui/empty";
import { HOST, useFirst } from "./first";
import { Live } from "./live";
import { useServiceMetrics } from "./metrics";

const RANGES = { "15m": 15, "5m": 5, "1h": 60 } as const;
type Range = keyof typeof RANGES;
const RANGE_WORDS = ["15m", "5m", "1h"] as const satisfies readonly [Range, ...Range[]];
const RANGES_SHOWN = ["5m", "15m", "1h"] as const;

export function ChartCard({ services, sparks }: { services: readonly Service[]; sparks: Sparks }) {
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
  const names = [...services.map((s) => s.service_name), HOST].sort();
  const first = useFirst(sparks);
  const service = wanted.service.value.value || first;
  const known = useServiceMetrics(service);
  const metric = wanted.metric.value.value || defaultMetric(service, known.value.value);
  const metrics = [...new Set((known.value.value?.metrics ?? []).map((m) => m.name))].sort();
  const range = wanted.range.value.value;
  return (
    <Card
      area="chart-card"
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
        <Waiting known={known} service={service} />
      ) : (
        <Live
          key={`${service}\n${metric}`}
          service={service}
          metric={metric}
          info={known.value.value?.metrics.find((m) => m.name === metric)}
          minutes={RANGES[range]}
          zoom={wanted.zoom.value.value}
          // A zoom is of this chart: the address names it from then on.
          onZoom={(zoom) => router.set({ cs: service, cm: metric, zoom }, "push")}
          onResume={() => router.set({ zoom: null })}
        />
      )}
    </Card>
  );
}

/** Of a service the metric that its tile shows; of the host its work. */
function defaultMetric(service: string, known: ServiceMetrics | null): string {
  const metrics = known?.metrics ?? [];
  const work = service === HOST ? metrics.find((m) => m.name === "cpu_percent") : undefined;
  return (work ?? telling(metrics))?.name ?? "";
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

function Waiting({ known, service }: { known: Resource<ServiceMetrics>; service: string }) {
  const error = known.problem.value;
  if (error) return <Problem error={error} what="Metrics" onRetry={known.refresh} />;
  if (!known.value.value || service === "") return <Skeleton rows={1} kind="chart" />;
  return (
    <Empty command={`alicia push temperature=21.5 --service ${service}`}>
      {service} has sent no metric yet.
    </Empty>
  );
}
