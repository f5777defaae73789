/** From the JSON of the API to the values the page works with. */

import { groupOf } from "./groups";
import { flag, instant, list, number, object, strings, text, word } from "./read";
import {
  SEVERITIES,
  STATUSES,
  type Alert,
  type BusStats,
  type Execution,
  type Instance,
  type MetricInfo,
  type ScheduledEvent,
  type Service,
  type ServiceMetrics,
  type Stats,
  type Status,
} from "./types";

export function status(value: unknown): Status {
  return word(value, STATUSES, "unknown");
}

function bar(value: unknown): Status | null {
  return typeof value === "string" ? status(value) : null;
}

export function service(value: unknown): Service {
  const o = object(value);
  const name = text(o["service_name"]);
  return {
    service_name: name,
    group: text(o["group"]) || groupOf(name),
    status: status(o["status"]),
    reason: text(o["reason"]),
    last_seen: instant(o["last_seen"]),
    cadence: number(o["cadence"]),
    restarts: number(o["restarts"]) ?? 0,
    version: text(o["version"]),
    capabilities: list(o["capabilities"], (item) => text(item) || text(object(item)["name"])),
    instances: list(o["instances"], instance),
    bars: list(o["bars"], bar),
  };
}

function instance(value: unknown): Instance {
  const o = object(value);
  return {
    instance_id: text(o["instance_id"]) || text(value),
    status: status(o["status"]),
    last_seen: instant(o["last_seen"]),
    version: text(o["version"]),
  };
}

export function services(value: unknown): readonly Service[] {
  return list(object(value)["services"], service).filter((s) => s.service_name !== "");
}

export function alert(value: unknown): Alert {
  const o = object(value);
  return {
    alert_id: text(o["alert_id"]),
    rule_name: text(o["rule_name"]),
    service_name: text(o["service_name"]),
    severity: word(o["severity"], SEVERITIES, "warning"),
    state: word(o["state"], ["pending", "firing", "resolved"], "firing"),
    message: text(o["message"]),
    value: number(o["value"]),
    threshold: number(o["threshold"]),
    active_at: instant(o["fired_at"]) ?? instant(o["active_at"]) ?? instant(o["timestamp"]),
    silenced: list(o["silenced_by"], text).length > 0,
  };
}

export function alerts(value: unknown): readonly Alert[] {
  return list(object(value)["alerts"], alert).filter((a) => a.alert_id !== "");
}

export function event(value: unknown): ScheduledEvent {
  const o = object(value);
  return {
    event_id: text(o["event_id"]),
    name: text(o["name"]),
    status: text(o["status"]),
    schedule_text: text(o["schedule_text"]),
    target_service: text(o["target_service"]),
    target_topic: text(o["target_topic"]),
    next_run: instant(o["next_run"]),
    last_run: instant(o["last_run"]),
    last_status: text(o["last_status"]),
  };
}

export function events(value: unknown): readonly ScheduledEvent[] {
  return list(object(value)["events"], event).filter((e) => e.event_id !== "");
}

export function execution(value: unknown): Execution {
  const o = object(value);
  return {
    execution_id: text(o["execution_id"]),
    event_id: text(o["event_id"]),
    kind: text(o["kind"]),
    status: text(o["status"]),
    reason: text(o["reason"]),
    scheduled_time: instant(o["scheduled_time"]),
  };
}

export function executions(value: unknown): readonly Execution[] {
  return list(object(value)["executions"], execution).filter((e) => e.execution_id !== "");
}

export function stats(value: unknown): Stats {
  const o = object(value);
  const rejected = Object.values(object(o["rejected_total"]));
  return {
    uptime: number(o["uptime"]),
    series: number(o["series"]),
    samples_per_second: number(o["samples_per_second"]),
    rejected: rejected.reduce<number>((sum, n) => sum + (number(n) ?? 0), 0),
    bus: bus(o["bus"]),
  };
}

function bus(value: unknown): BusStats {
  const o = object(value);
  return {
    connected: flag(o["connected"]),
    address: text(o["address"]) || text(o["url"]),
    messages: number(o["messages"]) ?? number(o["messages_received"]),
    messages_per_second: number(o["messages_per_second"]),
    last_message: instant(o["last_message"]),
  };
}

export function metric(value: unknown): MetricInfo {
  const o = object(value);
  return {
    name: text(o["name"]),
    metric_type: text(o["metric_type"], "gauge"),
    unit: text(o["unit"]),
    value: number(o["value"]),
    timestamp: instant(o["timestamp"]),
    labels: strings(o["labels"]),
    instance_id: text(o["instance_id"]),
  };
}

/** The answer of `GET /metrics/{service}`, its instances side by side. */
export function serviceMetrics(value: unknown): ServiceMetrics {
  const o = object(value);
  const metrics = Object.entries(object(o["instances"])).flatMap(([id, inside]) =>
    list(object(inside)["metrics"], (item) => ({ ...metric(item), instance_id: id })),
  );
  return { service_name: text(o["service_name"]), metrics };
}

/** The answer of `GET /metrics/{service}/{metric}`, newest first as stored. */
export function samples(value: unknown): readonly MetricInfo[] {
  const o = object(value);
  return list(o["metrics"] ?? o["samples"], metric);
}
