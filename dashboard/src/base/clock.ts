/** The one timer of the page: it drives every countdown and every "3 s ago". */

import { signal, type ReadonlySignal } from "@preact/signals";

export interface Clock {
  /** Milliseconds since the epoch by the server's clock, advanced once a second. */
  readonly now: ReadonlySignal<number>;
  /** The same, read at once. */
  read(): number;
  /** Stop while nobody looks; `start` catches up. */
  stop(): void;
  start(): void;
}

/** Differences below this are the latency of the page load, not a wrong clock. */
const SKEW_MS = 2000;

/** `serverNow` corrects a browser whose own clock is wrong, so that countdowns end on time. */
export function createClock(serverNow: number | null): Clock {
  const skew = serverNow === null ? 0 : serverNow - Date.now();
  const offset = Math.abs(skew) > SKEW_MS ? skew : 0;
  const read = () => Date.now() + offset;
  const now = signal(read());
  let timer: ReturnType<typeof setTimeout> | undefined;
  const beat = () => {
    now.value = read();
    timer = setTimeout(beat, 1000 - (read() % 1000));
  };
  return {
    now,
    read,
    stop: () => clearTimeout(timer),
    start: () => {
      clearTimeout(timer);
      beat();
    },
  };
}
