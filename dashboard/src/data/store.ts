/** The state of the page: what was fetched, kept current by the live stream. */

import { batch, signal, type ReadonlySignal, type Signal } from "@preact/signals";
import type { Api } from "./api";
import * as decode from "./decode";
import { instant, object } from "./read";
import { parseData, withAlert, withEvent, withExecution, withService } from "./reducer";
import { createResource, type Resource } from "./resource";
import type { ServerEvent } from "./sse";
import type { Alert, Execution, ScheduledEvent, Service, Stats } from "./types";

/** Buckets of the 24 h bar, 15 min each. */
export const BARS = 96;
const BAR_MS = (24 * 3600 * 1000) / BARS;
const RETRY_MS = 10_000;
/** A due event is looked up again after this: its next run has been planned by then. */
const DUE_MS = 1500;
/** Events are looked up at most this often, however many of them run. */
const LOOK_UP_MS = 3000;

export interface Store {
  readonly services: Resource<readonly Service[]>;
  readonly alerts: Resource<readonly Alert[]>;
  readonly events: Resource<readonly ScheduledEvent[]>;
  readonly executions: Resource<readonly Execution[]>;
  readonly stats: Resource<Stats>;
  /** New samples are stored up to this instant. */
  readonly tick: ReadonlySignal<number>;
  refreshAll(): void;
  apply(event: ServerEvent): void;
  /** Put what the page was served with. */
  seed(snapshot: unknown): void;
  /** What time alone makes stale; called once a second. */
  age(now: number): void;
}

export function createStore(api: Api): Store {
  const services = createResource(async () =>
    decode.services(await api.get("/services", { bars: BARS })),
  );
  const alerts = createResource(async () =>
    decode.alerts(await api.get("/alerts", { active_only: "true" })),
  );
  const events = createResource(async () =>
    decode.events(await api.get("/scheduler/events", { active_only: "true" })),
  );
  const executions = createResource(async () =>
    decode.executions(await api.get("/scheduler/executions", { limit: 20 })),
  );
  const stats = createResource(async () => decode.stats(await api.get("/stats")));
  const tick = signal(0);
  const all = [services, alerts, events, executions, stats];
  const aging = createAging(all, services, events);
  const refreshAll = () => all.forEach((resource) => void resource.refresh());

  const reducers: Readonly<Record<string, (data: unknown) => void>> = {
    service: (data) => {
      const before = services.value.peek()?.length;
      update(services, (list) => withService(list, data));
      // A newcomer arrives without its last day.
      if (services.value.peek()?.length !== before) void services.refresh();
    },
    alert: (data) => update(alerts, (list) => withAlert(list, data)),
    event: (data) => update(events, (list) => withEvent(list, data)),
    execution: (data) => {
      update(executions, (list) => withExecution(list, data));
      aging.eventsChanged();
    },
    stats: (data) => {
      stats.put(decode.stats(data));
      aging.eventsChanged(); // the one pulse of the stream: what changed unseen is found by it
    },
    tick: (data) => tickTo(tick, data),
    reset: refreshAll,
  };
  return {
    services,
    alerts,
    events,
    executions,
    stats,
    tick,
    refreshAll,
    apply: (event) => reducers[event.kind]?.(parseData(event.data)),
    seed(snapshot) {
      const o = object(snapshot);
      batch(() => {
        if (o["services"]) services.put(decode.services(o["services"]));
        if (o["alerts"]) alerts.put(decode.alerts(o["alerts"]));
        if (o["stats"]) stats.put(decode.stats(o["stats"]));
      });
    },
    age: aging.step,
  };
}

/** A change on data that was never fetched waits for the fetch; an answer under way may be older. */
function update<T>(resource: Resource<T>, change: (old: T) => T): void {
  const old = resource.value.peek();
  if (old !== null) resource.put(change(old));
  if (resource.loading.peek()) void resource.refresh();
}

function tickTo(tick: Signal<number>, data: unknown): void {
  const o = object(data);
  const at = instant(o["t"]) ?? instant(o["timestamp"]);
  if (at !== null && at > tick.value) tick.value = at;
}

interface Aging {
  step(now: number): void;
  /** An execution changed, and with it its event's next run and last result. */
  eventsChanged(): void;
}

function createAging(
  all: readonly Resource<unknown>[],
  services: Resource<unknown>,
  events: Resource<readonly ScheduledEvent[]>,
): Aging {
  let bucket: number | null = null;
  let retried = 0;
  let lookedUp = 0;
  let changed = false;
  const isLate = (e: ScheduledEvent, now: number) =>
    e.next_run !== null && e.status !== "paused" && now - e.next_run > DUE_MS;
  return {
    eventsChanged: () => {
      changed = true;
    },
    step(now) {
      const current = Math.floor(now / BAR_MS);
      if (bucket !== null && bucket !== current) void services.refresh();
      bucket = current;
      if (now - retried >= RETRY_MS) {
        retried = now;
        for (const resource of all) if (resource.problem.value) void resource.refresh();
      }
      const late = events.value.value?.some((e) => isLate(e, now)) ?? false;
      if ((late || changed) && now - lookedUp >= LOOK_UP_MS) {
        [lookedUp, changed] = [now, false];
        void events.refresh();
      }
    },
  };
}
