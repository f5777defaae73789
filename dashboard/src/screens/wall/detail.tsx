/** One service at a glance: why it has its status, its instances, metrics, alerts and next runs. */

import type { ComponentChildren } from "preact";
import { everyWords, plural } from "../../base/format";
import { barWords, Bars } from "../../charts/bars";
import { usePage } from "../../data/context";
import type { Alert, ScheduledEvent, Service } from "../../data/types";
import { Dialog } from "../../ui/dialog";
import { Mark, StatusWord } from "../../ui/status";
import { Ago, Countdown } from "../../ui/time";
import { MetricSection } from "./metrictable";
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
        <MetricSection service={name} onMetric={onMetric} />
      </div>
    </Dialog>
  );
}

function Facts({ service }: { service: Service }) {
  const facts: readonly [string, ComponentChildren][] = [
    ["last seen", <Ago at={service.last_seen} />],
    ["reports", service.cadence === null ? "not known yet" : everyWords(service.cadence)],
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
