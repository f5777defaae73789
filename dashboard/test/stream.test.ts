import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { createStream, SILENCE_MS, type LinkState } from "../src/data/stream.ts";
import type { ServerEvent } from "../src/data/sse.ts";

/** One pretended connection of the server. */
class Line {
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  readonly body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      this.#controller = controller;
    },
  });
  constructor(readonly lastEventId: string | undefined) {}
  say(text: string): void {
    this.#controller?.enqueue(new TextEncoder().encode(text));
  }
  end(): void {
    this.#controller?.close();
  }
  fail(error: unknown): void {
    this.#controller?.error(error);
  }
}

let lines: Line[];
let refuse: boolean;
let events: ServerEvent[];
let states: LinkState[];

const fetcher = (async (_url: unknown, init: RequestInit) => {
  if (refuse) throw new TypeError("refused");
  const headers = init.headers as Record<string, string>;
  const line = new Line(headers["Last-Event-ID"]);
  init.signal?.addEventListener("abort", () => line.fail(init.signal?.reason));
  lines.push(line);
  return new Response(line.body, { status: 200 });
}) as typeof fetch;

const make = () =>
  createStream("/live", {
    fetch: fetcher,
    now: Date.now,
    random: () => 1,
    onEvent: (event) => events.push(event),
    onState: (state) => states.push(state),
  });

/** Let everything that waits for no timer happen. */
const settle = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
  await new Promise<void>((resolve) => setImmediate(resolve));
  for (let i = 0; i < 20; i++) await Promise.resolve();
};
const pass = async (ms: number) => {
  mock.timers.tick(ms);
  await settle();
};
const phase = () => states.at(-1)?.phase;

beforeEach(() => {
  [lines, events, states, refuse] = [[], [], [], false];
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
});
afterEach(() => mock.timers.reset());

test("a first connection starts with a reset, since nobody knows what came before", async () => {
  const stream = make();
  stream.open();
  await settle();
  assert.equal(phase(), "live");
  lines[0]?.say("id: 5\nevent: tick\ndata: {}\n\n");
  await settle();
  assert.deepEqual(events.map((e) => e.kind), ["reset", "tick"]);
  stream.close();
  assert.equal(phase(), "paused");
});

test("a broken line is resumed from the last event, without a reset", async () => {
  const stream = make();
  stream.open();
  await settle();
  lines[0]?.say("id: 5\ndata: {}\n\n");
  await settle();
  lines[0]?.end();
  await settle();
  assert.equal(phase(), "waiting");
  await pass(1000);
  assert.equal(lines[1]?.lastEventId, "5");
  assert.equal(events.filter((e) => e.kind === "reset").length, 1);
  stream.close();
});

test("waits double to 30 s while nobody answers", async () => {
  refuse = true;
  const stream = make();
  stream.open();
  const waits: number[] = [];
  for (let i = 0; i < 7; i++) {
    await settle();
    const state = states.at(-1);
    assert.equal(state?.phase, "waiting");
    const wait = state?.phase === "waiting" ? state.retryAt - Date.now() : 0;
    waits.push(wait);
    await pass(wait);
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  stream.close();
});

test("silence ends a line, a comment keeps it", async () => {
  const stream = make();
  stream.open();
  await settle();
  await pass(SILENCE_MS - 1);
  lines[0]?.say(": still here\n\n");
  await settle();
  await pass(SILENCE_MS - 1);
  assert.equal(phase(), "live");
  await pass(1);
  assert.equal(phase(), "waiting");
  stream.close();
});

test("another tab's last event is where a new leader goes on", async () => {
  const stream = make();
  stream.open("41");
  await settle();
  assert.equal(lines[0]?.lastEventId, "41");
  assert.deepEqual(events, []);
  stream.close();
});

test("closing while waiting stops the tries", async () => {
  refuse = true;
  const stream = make();
  stream.open();
  await settle();
  stream.close();
  refuse = false;
  await pass(60_000);
  assert.equal(lines.length, 0);
  assert.equal(phase(), "paused");
});
