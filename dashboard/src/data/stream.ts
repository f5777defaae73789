/** One connection to `GET /live` that is kept up: resume, back-off, detection of silence. */

import { waitMs, type BackOff } from "../base/backoff";
import { SseParser, type ServerEvent } from "./sse";

export type LinkState =
  | { readonly phase: "connecting" }
  | { readonly phase: "live" }
  | { readonly phase: "waiting"; readonly retryAt: number; readonly since: number }
  | { readonly phase: "paused" };

/** After this long without a line the data is called stale. */
const STALE_MS = 15_000;

/** Since when the page shows the past, once it has done so for a while; else null. */
export function staleSince(state: LinkState, now: number): number | null {
  return state.phase === "waiting" && now - state.since >= STALE_MS ? state.since : null;
}

export interface StreamPorts {
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly random: () => number;
  readonly onEvent: (event: ServerEvent) => void;
  readonly onState: (state: LinkState) => void;
}

export interface Stream {
  /** Connect and stay connected; `resumeFrom` is the last event another tab saw. */
  open(resumeFrom?: string): void;
  close(): void;
}

/** The server says something at least every 15 s; after twice that the line is dead. */
export const SILENCE_MS = 30_000;
const BACK_OFF: BackOff = { firstMs: 1000, mostMs: 30_000 };

export function createStream(url: string, ports: StreamPorts): Stream {
  const parser = new SseParser();
  let current: AbortController | null = null;

  const connect = async (stop: AbortController): Promise<void> => {
    const attempt = new AbortController();
    let silence = setTimeout(() => attempt.abort(), SILENCE_MS);
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => attempt.abort(), SILENCE_MS);
    };
    try {
      const resume = parser.lastId === "" ? undefined : { "Last-Event-ID": parser.lastId };
      const response = await ports.fetch(url, {
        headers: { Accept: "text/event-stream", ...resume },
        cache: "no-store",
        signal: AbortSignal.any([stop.signal, attempt.signal]),
      });
      if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
      heard();
      ports.onState({ phase: "live" });
      // Without an id to resume from, what happened before now is unknown.
      if (parser.lastId === "") ports.onEvent({ id: "", kind: "reset", data: "{}" });
      await readAll(response.body, parser, heard, ports.onEvent);
    } finally {
      clearTimeout(silence);
    }
  };

  const run = async (stop: AbortController): Promise<void> => {
    let failures = 0;
    let since = ports.now();
    while (!stop.signal.aborted) {
      const began = ports.now();
      if (failures === 0) ports.onState({ phase: "connecting" });
      await connect(stop).catch(() => undefined);
      if (stop.signal.aborted) return;
      // A line that held for a while was good: start over with short waits.
      failures = ports.now() - began > SILENCE_MS ? 0 : failures;
      if (failures === 0) since = ports.now();
      const wait = waitMs(failures++, BACK_OFF, ports.random());
      ports.onState({ phase: "waiting", retryAt: ports.now() + wait, since });
      await sleep(wait, stop.signal);
    }
  };

  return {
    open(resumeFrom = "") {
      if (current) return;
      if (parser.lastId === "") parser.lastId = resumeFrom;
      current = new AbortController();
      void run(current);
    },
    close() {
      if (!current) return;
      current.abort();
      current = null;
      ports.onState({ phase: "paused" });
    },
  };
}

/** Reads to the end of the body; a chunk of any content, comments too, is a sign of life. */
async function readAll(
  body: ReadableStream<Uint8Array>,
  parser: SseParser,
  heard: () => void,
  onEvent: (event: ServerEvent) => void,
): Promise<void> {
  parser.restart();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    for (const event of parser.feed(decoder.decode(value, { stream: true }))) onEvent(event);
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
