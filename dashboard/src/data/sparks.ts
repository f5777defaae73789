/** The small lines on the tiles: fetched for tiles in view only, a few at a time. */

import { signal, type ReadonlySignal, type Signal } from "@preact/signals";
import { unitOf } from "../base/format";
import { pathOf, type Api } from "./api";
import * as decode from "./decode";
import { toSeries, withTail, type Series } from "./series";
import type { MetricInfo } from "./types";

export interface SparkData {
  readonly metric: string;
  readonly unit: string;
  readonly series: Series;
}

export interface Sparks {
  /** The line of a service, fetched while somebody watches it. */
  watch(service: string): { readonly line: ReadonlySignal<SparkData | null>; stop(): void };
  /** The services that have had a line. */
  readonly drawn: ReadonlySignal<ReadonlySet<string>>;
  /** New samples are stored: extend the lines being watched. */
  tick(): void;
}

const WINDOW_MS = 30 * 60_000;
const POINTS_MAX = 120;
const AT_ONCE = 3;
/** A small line is extended at most this often. */
const EVERY_MS = 15_000;
/** A service that has sent too little for a line is asked again after this. */
const SOON_MS = 3000;

/** What says most about a service at one glance, best first. */
const TELLING = [
  /^response_time/,
  /latency/,
  /^request.*(rate|per_second)/,
  /^cpu_percent$/,
  /requests.*total/,
  /messages_processed/,
  /roundtrip/,
  /^(process_resident_)?memory/,
];

/** The metric to draw: the most telling one, else the first gauge of the alphabet. */
export function telling(metrics: readonly MetricInfo[]): MetricInfo | null {
  const drawable = metrics.filter((m) => m.value !== null && !/_bucket$|^up$/.test(m.name));
  for (const pattern of TELLING) {
    const hit = drawable.find((m) => pattern.test(m.name));
    if (hit) return hit;
  }
  const byName = [...drawable].sort((a, b) => (a.name < b.name ? -1 : 1));
  return byName.find((m) => m.metric_type === "gauge") ?? byName[0] ?? null;
}

interface Entry {
  readonly line: Signal<SparkData | null>;
  watchers: number;
  metric: MetricInfo | null;
  samples: readonly MetricInfo[];
  askedAt: number;
}

function newEntry(): Entry {
  return { line: signal(null), watchers: 0, metric: null, samples: [], askedAt: 0 };
}

export function createSparks(api: Api, now: () => number): Sparks {
  const entries = new Map<string, Entry>();
  const drawn = signal<ReadonlySet<string>>(new Set());
  const queue: string[] = [];
  let running = 0;

  const load = async (service: string, entry: Entry): Promise<void> => {
    const path = pathOf("metrics", service);
    if (!entry.line.peek()) {
      // Until there is a line, a better metric may still come.
      entry.askedAt = now() - EVERY_MS + SOON_MS;
      const best = telling(decode.serviceMetrics(await api.get(path)).metrics);
      if (best?.name !== entry.metric?.name) [entry.metric, entry.samples] = [best, []];
    }
    const { metric } = entry;
    if (!metric) return;
    const oldest = now() - WINDOW_MS;
    const from = Math.max(oldest, (entry.samples[0]?.timestamp ?? 0) + 1);
    const query = { start: from / 1000, end: now() / 1000, limit: POINTS_MAX };
    const got = decode.samples(await api.get(path + pathOf(metric.name), query));
    entry.samples = withTail(entry.samples, got, oldest).slice(0, POINTS_MAX);
    const [series] = toSeries(entry.samples);
    if (!series || series.t.length === 0) return; // one sample of a counter is no rate yet
    entry.line.value = { metric: metric.name, unit: unitOf(metric.name, metric.unit), series };
    entry.askedAt = now();
    if (!drawn.peek().has(service)) drawn.value = new Set([...drawn.peek(), service]);
  };
  const pump = () => {
    while (running < AT_ONCE && queue.length > 0) {
      const service = queue.shift() ?? "";
      const entry = entries.get(service);
      if (!entry || entry.watchers === 0) continue;
      running++;
      // A tile without a line says so by having none; the next tick asks again.
      void load(service, entry)
        .catch(() => undefined)
        .finally(() => {
          running--;
          pump();
        });
    }
  };
  const ask = (service: string) => {
    const entry = entries.get(service);
    if (!entry || now() - entry.askedAt < EVERY_MS) return;
    entry.askedAt = now();
    queue.push(service);
    pump();
  };
  return {
    drawn,
    watch(service) {
      const entry = entries.get(service) ?? newEntry();
      entries.set(service, entry);
      entry.watchers++;
      ask(service);
      return { line: entry.line, stop: () => void entry.watchers-- };
    },
    tick() {
      for (const [service, entry] of entries) if (entry.watchers > 0) ask(service);
    },
  };
}
