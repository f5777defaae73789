/** The samples of one metric of one service, followed live: first the window, then only tails. */

import { signal, type ReadonlySignal } from "@preact/signals";
import { ApiError, pathOf, type Api } from "./api";
import * as decode from "./decode";
import { toSeries, usualStep, withTail } from "./series";
import type { MetricInfo } from "./types";

export interface Followed {
  readonly samples: ReadonlySignal<readonly MetricInfo[] | null>;
  readonly problem: ReadonlySignal<ApiError | null>;
  /** Fetch what came after the newest sample held, at first the whole window; at most once per step. */
  refresh(): Promise<void>;
}

/** What the store keeps of raw samples by default is what a chart can show. */
export const HELD_MS = 3_600_000;
const LIMIT = 10_000;

export function follow(api: Api, service: string, metric: string, now: () => number): Followed {
  const samples = signal<readonly MetricInfo[] | null>(null);
  const problem = signal<ApiError | null>(null);
  const path = pathOf("metrics", service, metric);
  let running = false;

  const fetchTail = async () => {
    const oldest = now() - HELD_MS;
    const held = samples.peek() ?? [];
    // The newest instant is asked for again: other series may report it a little later.
    const from = Math.max(oldest, held[0]?.timestamp ?? 0);
    const query = { start: from / 1000, end: now() / 1000, limit: LIMIT };
    const tail = decode.samples(await api.get(path, query));
    samples.value = withTail(held, tail, oldest);
    problem.value = null;
  };
  return {
    samples,
    problem,
    async refresh() {
      if (running || now() < nextAt(samples.peek() ?? [])) return;
      running = true;
      try {
        await fetchTail();
      } catch (error) {
        problem.value = error instanceof ApiError ? error : new ApiError(0, "failed", String(error));
      } finally {
        running = false;
      }
    },
  };
}

/** When the next sample can be there at the earliest, judged by the usual step of the newest line. */
function nextAt(held: readonly MetricInfo[]): number {
  const newest = held[0]?.timestamp ?? 0;
  const [line] = toSeries(held);
  return newest + 1000 * usualStep(line?.t ?? []) * PATIENCE;
}

/** Senders are a little early at times. */
const PATIENCE = 0.8;
