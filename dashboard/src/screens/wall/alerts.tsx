/** The active alerts, worst first. */

import { compact } from "../../base/format";
import { usePage } from "../../data/context";
import type { Alert } from "../../data/types";
import { Card } from "../../ui/card";
import { Empty, Problem, Skeleton } from "../../ui/empty";
import { Ago } from "../../ui/time";
import { ordered } from "./model";

const SHOWN_MAX = 5;

export function AlertsCard({ hrefOf }: { hrefOf: (service: string) => string }) {
  const { alerts } = usePage().store;
  const list = alerts.value.value;
  const error = alerts.problem.value;
  const firing = list?.filter((a) => a.state === "firing").length ?? 0;
  return (
    <Card
      area="alerts"
      label="Active alerts"
      title={<>Alerts {list && <span class="count">{firing}</span>}</>}
      stale={error !== null}
    >
      {error && <Problem error={error} what="Alerts" onRetry={alerts.refresh} />}
      {!list && !error && <Skeleton rows={3} kind="row" />}
      {list?.length === 0 && <Empty>No rule sees anything wrong.</Empty>}
      {list && list.length > 0 && (
        <ul class="rows">
          {ordered(list).slice(0, SHOWN_MAX).map((a) => (
            <AlertRow key={a.alert_id} alert={a} href={hrefOf(a.service_name)} />
          ))}
        </ul>
      )}
      {list && list.length > SHOWN_MAX && <p class="more">and {list.length - SHOWN_MAX} more</p>}
    </Card>
  );
}

function AlertRow({ alert, href }: { alert: Alert; href: string }) {
  const said = alert.message || alert.service_name;
  const value = alert.value === null ? "" : `value ${compact(alert.value)}`;
  const limit = alert.threshold === null ? "" : `limit ${compact(alert.threshold)}`;
  return (
    <li class="row" data-testid="alert">
      <span class={`badge severity-${alert.severity}`}>{alert.severity}</span>
      <span class="row-main">
        <a href={href} class="row-title">
          {alert.rule_name}
        </a>
        <span class="row-sub" title={[said, value, limit].filter(Boolean).join(" · ")}>
          {said}
        </span>
      </span>
      <span class="row-end">
        {alert.state === "pending" ? "pending" : alert.silenced ? "silenced" : <Ago at={alert.active_at} />}
      </span>
    </li>
  );
}
