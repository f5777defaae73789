/** A value fetched from the API that outlives failures: old data stays, with its age. */

import { batch, signal, type ReadonlySignal } from "@preact/signals";
import { ApiError } from "./api";

export interface Resource<T> {
  readonly value: ReadonlySignal<T | null>;
  readonly problem: ReadonlySignal<ApiError | null>;
  readonly loading: ReadonlySignal<boolean>;
  /** Fetch again; calls during a fetch are answered by one more after it. */
  refresh(): Promise<void>;
  /**
   * Take a value that came another way: the snapshot or the live stream. An answer under way may
   * be older: it is not shown, and asked for again.
   */
  put(value: T): void;
}

export function createResource<T>(load: () => Promise<T>): Resource<T> {
  const value = signal<T | null>(null);
  const problem = signal<ApiError | null>(null);
  const loading = signal(false);
  let running: Promise<void> | null = null;
  let again = false;
  let puts = 0;

  const once = async () => {
    const before = puts;
    try {
      const next = await load();
      const overtaken = puts !== before;
      again ||= overtaken;
      batch(() => {
        if (!overtaken) value.value = next;
        problem.value = null;
      });
    } catch (error) {
      problem.value = error instanceof ApiError ? error : new ApiError(0, "failed", String(error));
    }
  };
  const run = async () => {
    loading.value = true;
    do {
      again = false;
      await once();
    } while (again);
    loading.value = false;
    running = null;
  };
  return {
    value,
    problem,
    loading,
    refresh: () => {
      if (running) again = true;
      else running = run();
      return running;
    },
    put: (next) => {
      puts++;
      value.value = next;
    },
  };
}
