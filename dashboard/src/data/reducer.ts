/** What a live event does to the state the page shows. Pure. */

import * as decode from "./decode";
import { object } from "./read";
import { STATUSES, type Alert, type Execution, type ScheduledEvent, type Service, type Status } from "./types";

/** Executions kept on the page; the API has the rest. */
export const EXECUTIONS_MAX = 100;

export function withService(list: readonly Service[], value: unknown): readonly Service[] {
  const next = decode.service(value);
  if (next.service_name === "") return list;
  if (object(value)["removed"] === true) {
    return list.filter((s) => s.service_name !== next.service_name);
  }
  const at = list.findIndex((s) => s.service_name === next.service_name);
  const old = list[at];
  if (!old) return [...list, next];
  const bars = next.bars.length > 0 ? next.bars : withNow(old.bars, next.status);
  return list.with(at, { ...next, bars });
}

/** The running bucket shows the worst status of its time. */
function withNow(bars: readonly (Status | null)[], now: Status): readonly (Status | null)[] {
  const last = bars.at(-1);
  if (last === undefined) return bars;
  const worst = last !== null && STATUSES.indexOf(last) < STATUSES.indexOf(now) ? last : now;
  return worst === last ? bars : bars.with(-1, worst);
}

export function withAlert(list: readonly Alert[], value: unknown): readonly Alert[] {
  const next = decode.alert(value);
  if (next.alert_id === "") return list;
  const others = list.filter((a) => a.alert_id !== next.alert_id);
  return next.state === "resolved" ? others : [next, ...others];
}

/** A whole event replaces the old one; a finished or cancelled one leaves the list. */
export function withEvent(
  list: readonly ScheduledEvent[],
  value: unknown,
): readonly ScheduledEvent[] {
  const next = decode.event(value);
  if (next.event_id === "" || next.name === "") return list;
  const others = list.filter((e) => e.event_id !== next.event_id);
  return next.next_run === null ? others : [...others, next];
}

export function withExecution(list: readonly Execution[], value: unknown): readonly Execution[] {
  const next = decode.execution(value);
  if (next.execution_id === "") return list;
  const others = list.filter((e) => e.execution_id !== next.execution_id);
  return [next, ...others].slice(0, EXECUTIONS_MAX);
}

/** The data of a live event; text that is no JSON object is an empty one. */
export function parseData(data: string): unknown {
  try {
    return object(JSON.parse(data));
  } catch {
    return {};
  }
}

