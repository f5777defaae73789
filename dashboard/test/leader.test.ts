import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { createLive, HIDDEN_MS, type Live } from "../src/data/leader.ts";
import type { ServerEvent } from "../src/data/sse.ts";

/** A browser with several tabs: one lock, one channel, and the server's connections. */
class FakeBrowser {
  tabs: Tab[] = [];
  connections: { lastEventId: string | undefined; say: (text: string) => void; open: boolean }[] = [];
  waiting: (() => void)[] = [];

  open(visible = true, locks = true): Tab {
    const tab = new Tab(this, visible, locks);
    this.tabs.push(tab);
    tab.live.start();
    return tab;
  }
  fetch = (async (_url: unknown, init: RequestInit) => {
    let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
    const connection = {
      lastEventId: (init.headers as Record<string, string>)["Last-Event-ID"],
      say: (text: string) => controller?.enqueue(new TextEncoder().encode(text)),
      open: true,
    };
    init.signal?.addEventListener("abort", () => {
      connection.open = false;
      controller?.error(init.signal?.reason);
    });
    this.connections.push(connection);
    return new Response(body, { status: 200 });
  }) as typeof fetch;

  get openConnections(): number {
    return this.connections.filter((c) => c.open).length;
  }
  /** The leader's tab ends: its lock goes to the next in line. */
  handOver(): void {
    this.waiting.shift()?.();
  }
}

let serial = 0;

class Tab {
  events: ServerEvent[] = [];
  live: Live;
  onmessage: ((message: MessageEvent) => void) | null = null;
  #onVisible = () => {};

  constructor(
    browser: FakeBrowser,
    public visible: boolean,
    locks: boolean,
  ) {
    const channel = {
      postMessage: (data: unknown) => {
        for (const other of browser.tabs) {
          if (other !== this) other.#hear(structuredClone(data));
        }
      },
      set onmessage(listener: (message: MessageEvent) => void) {
        tab.onmessage = listener;
      },
    };
    const tab = this;
    let taken = browser.tabs.length > 0;
    const request = (_name: string, lead: () => void) => {
      if (taken) browser.waiting.push(lead);
      else lead();
      taken = true;
    };
    this.live = createLive("/live", {
      fetch: browser.fetch,
      now: Date.now,
      random: () => ++serial / 1e6,
      locks: locks ? ({ request } as unknown as LockManager) : undefined,
      channel: channel as unknown as BroadcastChannel,
      visible: () => this.visible,
      onVisible: (listener) => void (this.#onVisible = listener),
      onEvent: (event) => this.events.push(event),
    });
  }
  #hear(data: unknown): void {
    this.onmessage?.({ data } as MessageEvent);
  }
  show(visible: boolean): void {
    this.visible = visible;
    this.#onVisible();
  }
}

const settle = async () => {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

/** Time passes while the server sends its comments. */
const pass = async (ms: number) => {
  for (let left = ms; left > 0; left -= 10_000) {
    for (const c of browser.connections) if (c.open) c.say(": \n\n");
    await settle();
    mock.timers.tick(Math.min(left, 10_000));
  }
  await settle();
};

let browser: FakeBrowser;
beforeEach(() => {
  browser = new FakeBrowser();
  mock.timers.enable({ apis: ["setTimeout", "Date"] });
});
afterEach(() => mock.timers.reset());

test("three tabs share one connection and see the same", async () => {
  const tabs = [browser.open(), browser.open(), browser.open()];
  await settle();
  assert.equal(browser.openConnections, 1);
  browser.connections[0]?.say("id: 9\nevent: tick\ndata: {}\n\n");
  await settle();
  for (const tab of tabs) assert.equal(tab.events.at(-1)?.id, "9");
  for (const tab of tabs) assert.equal(tab.live.state.value.phase, "live");
});

test("a tab that comes later learns the state from the leader", async () => {
  browser.open();
  await settle();
  const late = browser.open();
  await settle();
  assert.equal(late.live.state.value.phase, "live");
});

test("the next leader goes on from the last event the tabs saw", async () => {
  browser.open();
  const second = browser.open();
  await settle();
  browser.connections[0]?.say("id: 9\nevent: tick\ndata: {}\n\n");
  await settle();
  browser.handOver();
  await settle();
  assert.equal(browser.connections[1]?.lastEventId, "9");
  assert.deepEqual(second.events.map((e) => e.kind), ["reset", "tick"]);
});

test("with all tabs hidden for a minute the stream closes, and resumes with the first look", async () => {
  const first = browser.open();
  const second = browser.open();
  await settle();
  first.show(false);
  await pass(HIDDEN_MS * 2);
  assert.equal(browser.openConnections, 1, "the second still looks");
  second.show(false);
  await pass(HIDDEN_MS - 1);
  assert.equal(browser.openConnections, 1);
  await pass(1);
  assert.equal(browser.openConnections, 0);
  assert.equal(second.live.state.value.phase, "paused");
  second.show(true);
  await settle();
  assert.equal(browser.openConnections, 1);
});

test("without locks each tab holds a stream", async () => {
  browser.open(true, false);
  browser.open(true, false);
  await settle();
  assert.equal(browser.openConnections, 2);
});
