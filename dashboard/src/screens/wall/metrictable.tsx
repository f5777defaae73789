/** The latest value of every metric of a service; a name opens it in the chart. */

import { measure, span, unitOf } from "../../base/format";
import { usePage } from "../../data/context";
import type { MetricInfo } from "../../data/types";
import { Empty, Problem, Skeleton } from "../../ui/empty";
import { useServiceMetrics } from "./metrics";

interface MetricProps {
  readonly service: string;
  readonly onMetric: (metric: string) => void;
}

export function MetricSection({ service, onMetric }: MetricProps) {
  const resource = useServiceMetrics(service);
  const known = resource.value.value;
  const error = resource.problem.value;
  return (
    <section>
      <h3>
        Metrics {known && <span class="count">{new Set(known.metrics.map((m) => m.name)).size}</span>}
      </h3>
      {error && <Problem error={error} what="Metrics" onRetry={resource.refresh} />}
      {!known && !error && <Skeleton rows={4} kind="row" />}
      {known?.metrics.length === 0 && (
        <Empty command={`alicia push temperature=21.5 --service ${service}`}>It has sent none yet.</Empty>
      )}
      {known && known.metrics.length > 0 && <MetricTable metrics={known.metrics} onMetric={onMetric} />}
    </section>
  );
}

/** Rows shown; the whole list is in the API. */
const METRICS_MAX = 100;

function MetricTable(props: { metrics: readonly MetricInfo[]; onMetric: (metric: string) => void }) {
  const { clock } = usePage();
  const sorted = props.metrics
    .filter((m) => !m.name.endsWith("_bucket")) // a histogram's count and sum say enough here
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .slice(0, METRICS_MAX);
  return (
    <table class="metrics">
      <tbody>
        {sorted.map((m) => (
          <tr key={`${m.name}\n${JSON.stringify(m.labels)}\n${m.instance_id}`}>
            <th scope="row">
              <button type="button" class="link-button" onClick={() => props.onMetric(m.name)}>
                {m.name}
              </button>
              <LabelText labels={m.labels} />
            </th>
            <td class="num">
              {measure(m.value, unitOf(m.name, m.unit))}
            </td>
            <td class="num dim">{m.timestamp !== null && span(clock.read() - m.timestamp)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function LabelText({ labels }: { labels: Readonly<Record<string, string>> }) {
  const pairs = Object.entries(labels).filter(([name]) => !/^(__name__|service|instance)/.test(name));
  if (pairs.length === 0) return null;
  return <small>{pairs.map(([name, value]) => `${name}=${value}`).join(" ")}</small>;
}
