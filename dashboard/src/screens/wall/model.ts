/** What the wall shows, worked out from the state: counts, groups, order, sentences. Pure. */

import { plural } from "../../base/format";
import { counts } from "../../data/counts";
import { GROUPS } from "../../data/groups";
import { SEVERITIES, STATUSES, type Alert, type ScheduledEvent, type Service, type Status } from "../../data/types";

export interface Filters {
  readonly text: string;
  /** Empty: all. */
  readonly statuses: readonly Status[];
}

export interface Group {
  readonly name: string;
  readonly services: readonly Service[];
}

export function filtered(services: readonly Service[], filters: Filters): readonly Service[] {
  const words = filters.text.toLowerCase().split(/\s+/).filter(Boolean);
  return services.filter((s) => {
    const text = `${s.service_name} ${s.group} ${s.reason}`.toLowerCase();
    const status = filters.statuses.length === 0 || filters.statuses.includes(s.status);
    return status && words.every((word) => text.includes(word));
  });
}

/** Groups and their members, worst first; among equals the order of the fleet and the alphabet. */
export function grouped(services: readonly Service[]): readonly Group[] {
  const byName = new Map<string, Service[]>();
  for (const s of services) byName.set(s.group, [...(byName.get(s.group) ?? []), s]);
  const groups = [...byName].map(([name, members]) => ({
    name,
    services: members.sort((a, b) => badness(a) - badness(b) || compare(a.service_name, b.service_name)),
  }));
  const worst = (group: Group) => Math.min(...group.services.map(badness));
  return groups.sort((a, b) => worst(a) - worst(b) || rank(a.name) - rank(b.name) || compare(a.name, b.name));
}

function badness(service: Service): number {
  return STATUSES.indexOf(service.status);
}

function rank(group: string): number {
  const place = (GROUPS as readonly string[]).indexOf(group);
  return place < 0 ? GROUPS.length - 1.5 : place; // groups of the user's stand before "other"
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Is all well? One sentence, and the worst service where it is not. */
export function verdict(services: readonly Service[]): { tone: Status; text: string; detail: string } {
  const n = counts(services);
  const bad = n.down + n.degraded;
  const worst = services.find((s) => s.status === (n.down > 0 ? "down" : "degraded"));
  if (services.length === 0) {
    return { tone: "unknown", text: "Waiting for the first service", detail: "" };
  }
  if (worst) {
    const need = bad === 1 ? "needs" : "need";
    const text = `${bad} of ${plural(services.length, "service")} ${need} attention`;
    return { tone: worst.status, text, detail: sentence(worst) };
  }
  if (n.muted === services.length) {
    return { tone: "muted", text: allAre(n.muted, "", "muted"), detail: "" };
  }
  if (n.unknown > 0) {
    const are = n.unknown === 1 ? "is" : "are";
    const detail = `${plural(n.unknown, "service")} ${are} unknown`;
    return n.up === 0
      ? { tone: "unknown", text: detail, detail: "nothing was heard from them yet" }
      : { tone: "up", text: allAre(n.up, "known ", "up"), detail };
  }
  const muted = n.muted > 0 ? `${plural(n.muted, "service")} muted` : "";
  return { tone: "up", text: allAre(n.up, "", "up"), detail: muted };
}

function allAre(count: number, which: string, status: Status): string {
  return count === 1 ? `The only ${which}service is ${status}` : `All ${count} ${which}services are ${status}`;
}

/** "stt_service is down: silent 94 s; usually every 30 s". */
export function sentence(service: Service): string {
  const { service_name: name, status } = service;
  const why = whyOf(service);
  return why === "" ? `${name} is ${status}` : `${name} is ${status}: ${why}`;
}

/** The server's sentence without the status it may begin with. */
export function whyOf({ status, reason }: Service): string {
  return reason.replace(new RegExp(`^${status}[:,]?\\s*`, "i"), "");
}

/** Alerts that are on: firing before pending, severe before mild, young before old. */
export function ordered(alerts: readonly Alert[]): readonly Alert[] {
  const weight = (a: Alert) => (a.state === "firing" ? 0 : 10) + SEVERITIES.indexOf(a.severity);
  return [...alerts].sort((a, b) => weight(a) - weight(b) || (b.active_at ?? 0) - (a.active_at ?? 0));
}

/** Events with a next run, soonest first; paused ones run nothing. */
export function upcoming(events: readonly ScheduledEvent[]): readonly (ScheduledEvent & { next_run: number })[] {
  return events
    .filter((e): e is ScheduledEvent & { next_run: number } => e.next_run !== null && e.status !== "paused")
    .sort((a, b) => a.next_run - b.next_run);
}

/** Whom an event is for, as far as its topic says: `<prefix>/<service>/command`. */
export function targetOf(event: ScheduledEvent): string {
  return event.target_service || (/([^/]+)\/command$/.exec(event.target_topic)?.[1] ?? "");
}

/** Per service: its active alerts and the next run that targets it. */
export function byService(alerts: readonly Alert[], events: readonly ScheduledEvent[]) {
  const alertCount = new Map<string, number>();
  for (const a of alerts) {
    if (a.state === "firing") alertCount.set(a.service_name, (alertCount.get(a.service_name) ?? 0) + 1);
  }
  const nextRun = new Map<string, ScheduledEvent & { next_run: number }>();
  for (const e of upcoming(events)) {
    const target = targetOf(e);
    if (target !== "" && !nextRun.has(target)) nextRun.set(target, e);
  }
  return { alertCount, nextRun };
}
