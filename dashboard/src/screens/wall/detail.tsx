/** One service at a glance: why it has its status, its instances, metrics, alerts and next runs. */

import type { ComponentChildren } from "preact";
import { compact, plural, span } from "../../base/format";
import { barWords, Bars } from "../../charts/bars";
import { usePage } from "../../data/context";
import type { Alert, MetricInfo, ScheduledEvent, Service } from "../../data/types";
import { Dialog } from "../../ui/dialog";
import { Empty, Problem, Skeleton } from "../../ui/empty";
import { Mark, StatusWord } from "../../ui/status";
import { Ago, Countdown } from "../../ui/time";
import { useServiceMetrics } from "./metrics";
import { sentence, targetOf, upcoming } from "./model";

interface DetailProps {
  readonly service: Service;
  readonly onClose: () => void;
  readonly onMetric: (metric: string) => void;
}

export function Detail({ service, onClose, onMetric }: DetailProps) {
  const { alerts, events } = usePage().store;
  const name = service.service_name;
  const ours = (alerts.value.value ?? []).filter((a) => a.service_name === name);
  const runs = upcoming(events.value.value ?? []).filter((e) => targetOf(e) === name);
  return (
    <Dialog label={`Service ${name}`} place="side" onClose={onClose}>
      <div class="detail" data-testid="detail">
        <h2 class="detail-name">
          <Mark status={service.status} />
          <span>{name}</span>
          <StatusWord status={service.status} />
        </h2>
        <p class="detail-reason">{sentence(service)}</p>
        <Bars bars={service.bars} />
        <p class="detail-bars">{barWords(service.bars)}</p>
        <Facts service={service} />
        <AlertList alerts={ours} />
        <RunList runs={runs} />
        <Instances service={service} />
        <Metrics service={name} onMetric={onMetric} />
      </div>
    </Dialog>
  );
}

function Facts({ service }: { service: Service }) {
  const facts: readonly [string, ComponentChildren][] = [
    ["last seen", <Ago at={service.last_seen} />],
    ["reports", service.cadence === null ? "not known yet" : `every ${compact(service.cadence)} s`],
    ["restarts", service.restarts],
    ["version", service.version || "not told"],
    ["can", service.capabilities.join(", ")],
  ];
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== "")
        .map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function AlertList({ alerts }: { alerts: readonly Alert[] }) {
  if (alerts.length === 0) return null;
  return (
    <section>
      <h3>{plural(alerts.length, "alert")}</h3>
      <ul class="rows">
        {alerts.map((a) => (
          <li key={a.alert_id} class="row">
            <span class={`badge severity-${a.severity}`}>{a.severity}</span>
            <span class="row-main">
              <span class="row-title">{a.rule_name}</span>
              <span class="row-sub wrap">{a.message}</span>
            </span>
            <span class="row-end">{a.state === "pending" ? "pending" : <Ago at={a.active_at} />}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function RunList({ runs }: { runs: readonly (ScheduledEvent & { next_run: number })[] }) {
  if (runs.length === 0) return null;
  return (
    <section>
      <h3>Next runs</h3>
      <ul class="rows">
        {runs.slice(0, 5).map((e) => (
          <li key={e.event_id} class="row">
            <span class="row-main">
              <span class="row-title">{e.name}</span>
              <span class="row-sub">{e.schedule_text}</span>
            </span>
            <b class="row-end">
              <Countdown at={e.next_run} />
            </b>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Instances({ service }: { service: Service }) {
  if (service.instances.length < 2) return null;
  return (
    <section>
      <h3>{plural(service.instances.length, "instance")}</h3>
      <ul class="rows">
        {service.instances.map((i) => (
          <li key={i.instance_id} class="row">
            <Mark status={i.status} />
            <span class="row-main">{i.instance_id}</span>
            <span class="row-end">
              {i.status} · <Ago at={i.last_seen} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Metrics({ service, onMetric }: { service: string; onMetric: (metric: string) => void }) {
  const resource = useServiceMetrics(service);
  const known = resource.value.value;
  const error = resource.problem.value;
  return (
    <section>
      <h3>Metrics {known && <span class="count">{known.metrics.length}</span>}</h3>
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
  const sorted = [...props.metrics].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, METRICS_MAX);
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
              {compact(m.value)} {m.unit}
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
