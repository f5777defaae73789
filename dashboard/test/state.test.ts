import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, createApi, pathOf, type Api } from "../src/data/api.ts";
import * as decode from "../src/data/decode.ts";
import { instant } from "../src/data/read.ts";
import {
  EXECUTIONS_MAX,
  parseData,
  withAlert,
  withEvent,
  withExecution,
  withService,
} from "../src/data/reducer.ts";
import { createResource } from "../src/data/resource.ts";
import { createStore } from "../src/data/store.ts";

const service = (name: string, status = "up", more: object = {}) =>
  decode.service({ service_name: name, status, ...more });

test("any JSON decodes to something that can be shown", () => {
  const odd: unknown[] = [null, 7, "x", [], {}, { services: "no" }, { services: [null, 3, {}] }];
  for (const value of odd) {
    assert.deepEqual(decode.services(value), []);
    assert.deepEqual(decode.alerts(value), []);
    assert.deepEqual(decode.events(value), []);
    assert.deepEqual(decode.executions(value), []);
    assert.deepEqual(decode.serviceMetrics(value).metrics, []);
    assert.equal(decode.stats(value).series, null);
  }
  const s = service("x", "nonsense", { bars: ["up", null, 3, "zzz"], restarts: "many" });
  assert.equal(s.status, "unknown");
  assert.deepEqual(s.bars, ["up", null, null, "unknown"]);
  assert.equal(s.restarts, 0);
});

test("instants come as epoch seconds or RFC 3339", () => {
  assert.equal(instant(1_795_425_234.5), 1_795_425_234_500);
  assert.equal(instant("2026-11-23T07:30:00+01:00"), Date.UTC(2026, 10, 23, 6, 30));
  for (const odd of [0, Number.NaN, "soon", null, {}, true]) assert.equal(instant(odd), null);
});

test("a service is replaced in place, added, or removed", () => {
  const list = [service("a"), service("b")];
  const changed = withService(list, { service_name: "a", status: "down", reason: "silent" });
  assert.deepEqual(changed.map((s) => [s.service_name, s.status]), [["a", "down"], ["b", "up"]]);
  assert.equal(withService(list, { service_name: "c" }).length, 3);
  assert.equal(withService(list, { service_name: "a", removed: true }).length, 1);
  assert.equal(withService(list, { status: "down" }), list);
});

test("a change without bars keeps them, and the running bucket shows the worst", () => {
  const list = [service("a", "up", { bars: ["up", "up"] })];
  const down = withService(list, { service_name: "a", status: "down" });
  assert.deepEqual(down[0]?.bars, ["up", "down"]);
  const again = withService(down, { service_name: "a", status: "up" });
  assert.deepEqual(again[0]?.bars, ["up", "down"]);
});

test("alerts are kept while they are on", () => {
  const fire = { alert_id: "1", rule_name: "r", state: "firing" };
  const on = withAlert([], fire);
  assert.equal(withAlert(on, { ...fire, value: 3 }).length, 1);
  assert.deepEqual(withAlert(on, { ...fire, state: "resolved" }), []);
  assert.equal(withAlert(on, {}), on);
});

test("events without a next run leave the list; half an event changes nothing", () => {
  const list = withEvent([], { event_id: "1", name: "n", next_run: 5 });
  assert.equal(list.length, 1);
  assert.equal(withEvent(list, { event_id: "1" }), list);
  assert.deepEqual(withEvent(list, { event_id: "1", name: "n", next_run: null }), []);
});

test("executions are bounded, newest first", () => {
  let list = withExecution([], { execution_id: "0" });
  for (let i = 1; i <= EXECUTIONS_MAX; i++) list = withExecution(list, { execution_id: String(i) });
  assert.equal(list.length, EXECUTIONS_MAX);
  assert.equal(list[0]?.execution_id, String(EXECUTIONS_MAX));
});

test("broken event data is an empty object", () => {
  for (const odd of ["", "{", "[1]", "null", "7"]) assert.deepEqual(parseData(odd), {});
});

test("names of the fleet cannot leave their path segment", () => {
  assert.equal(pathOf("metrics", "a/../b?c#d e"), "/metrics/a%2F..%2Fb%3Fc%23d%20e");
});

test("a problem document becomes an error with its words", async () => {
  const body = { type: "unavailable", title: "Bad Gateway", status: 502, detail: "no scheduler" };
  const api = createApi((async () => new Response(JSON.stringify(body), { status: 502 })) as typeof fetch);
  await assert.rejects(api.get("/x"), { status: 502, code: "unavailable", message: "no scheduler" });
  const plain = createApi((async () => new Response("<html>", { status: 500 })) as typeof fetch);
  await assert.rejects(plain.get("/x"), { status: 500, message: "HTTP 500" });
  const gone = createApi((async () => Promise.reject(new TypeError("x"))) as typeof fetch);
  await assert.rejects(gone.get("/x"), { status: 0, code: "unreachable" });
  const odd = createApi((async () => new Response("<html>")) as typeof fetch);
  await assert.rejects(odd.get("/x"), { code: "bad_json" });
});

test("what is sent is JSON, as the collector demands", async () => {
  let sent: RequestInit = {};
  const api = createApi((async (_url: unknown, init: RequestInit) => {
    sent = init;
    return new Response("{}");
  }) as typeof fetch);
  await api.post("/session", { token: "x" });
  assert.equal(sent.method, "POST");
  assert.equal(sent.body, '{"token":"x"}');
  assert.deepEqual(sent.headers, { Accept: "application/json", "Content-Type": "application/json" });
});

test("a resource keeps old data through a failure and joins calls that overlap", async () => {
  let answer: () => Promise<number> = async () => 1;
  let loads = 0;
  const resource = createResource(() => (loads++, answer()));
  await Promise.all([resource.refresh(), resource.refresh(), resource.refresh()]);
  assert.equal(loads, 2);
  answer = () => Promise.reject(new ApiError(502, "unavailable", "gone"));
  await resource.refresh();
  assert.equal(resource.value.value, 1);
  assert.equal(resource.problem.value?.message, "gone");
  answer = async () => 2;
  await resource.refresh();
  assert.deepEqual([resource.value.value, resource.problem.value], [2, null]);
});

function fakeApi(): Api & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    get: async (path) => {
      asked.push(path);
      if (path === "/services") return { services: [{ service_name: "a", status: "up" }] };
      if (path === "/scheduler/events") {
        return { events: [{ event_id: "e", name: "n", next_run: 100 }] };
      }
      return {};
    },
    post: () => Promise.reject(new Error("the store changes nothing on the server")),
  };
}

test("the store applies live events to what it has, and refetches on reset", async () => {
  const api = fakeApi();
  const store = createStore(api);
  const send = (kind: string, data: object) =>
    store.apply({ id: "1", kind, data: JSON.stringify(data) });
  send("service", { service_name: "early", status: "up" });
  const held = () => store.services.value.value;
  assert.equal(held(), null, "a change cannot stand for the whole");
  send("reset", {});
  await new Promise(setImmediate);
  assert.equal(api.asked.length, 5);
  send("service", { service_name: "a", status: "down" });
  assert.equal(held()?.[0]?.status, "down");
  send("tick", { t: 50 });
  send("tick", { t: 40 });
  assert.equal(store.tick.value, 50_000);
  send("from_the_future", {});
});

test("an answer that was under way does not undo a change", async () => {
  const answers: ((value: unknown) => void)[] = [];
  const alerts = (state: string) => ({ alerts: [{ alert_id: "1", rule_name: "r", state }] });
  const api: Api = {
    get: (path) =>
      new Promise((resolve) => (path === "/alerts" ? answers.push(resolve) : resolve({}))),
    post: async () => ({}),
  };
  const store = createStore(api);
  store.seed({ alerts: alerts("pending") });
  store.refreshAll();
  const change = { alert_id: "1", rule_name: "r", state: "firing" };
  store.apply({ id: "1", kind: "alert", data: JSON.stringify(change) });
  answers[0]?.(alerts("pending"));
  await new Promise(setImmediate);
  assert.equal(answers.length, 2, "what came meanwhile is asked for");
  answers[1]?.(alerts("firing"));
  await new Promise(setImmediate);
  assert.equal(store.alerts.value.value?.[0]?.state, "firing");
});

test("a due event is looked up again, a bucket's end fetches the bars", async () => {
  const api = fakeApi();
  const store = createStore(api);
  store.refreshAll();
  await new Promise(setImmediate);
  const asked = (path: string) => api.asked.filter((p) => p === path).length;
  store.age(101_000);
  assert.equal(asked("/scheduler/events"), 1);
  store.age(101_501);
  await new Promise(setImmediate);
  assert.equal(asked("/scheduler/events"), 2);
  store.age(102_501);
  assert.equal(asked("/scheduler/events"), 2, "not every second");
  store.age(900_000);
  assert.equal(asked("/services"), 2);
});

test("the snapshot fills the store without a request", () => {
  const api = fakeApi();
  const store = createStore(api);
  store.seed({ services: { services: [{ service_name: "a", status: "up" }] }, alerts: { alerts: [] } });
  assert.equal(store.services.value.value?.length, 1);
  assert.deepEqual(store.alerts.value.value, []);
  assert.equal(store.stats.value.value, null);
  assert.deepEqual(api.asked, []);
});
