import assert from "node:assert/strict";
import { test } from "node:test";
import { barPath, barWords } from "../src/charts/bars.tsx";
import { colourPlaces, PALETTE_SIZE } from "../src/charts/colours.ts";
import { sparkPath } from "../src/charts/spark.tsx";
import type { Api } from "../src/data/api.ts";
import { metric } from "../src/data/decode.ts";
import { emptyWords, sparseWords } from "../src/data/density.ts";
import { follow, HELD_MS } from "../src/data/samples.ts";
import { align, rates, seriesKey, summary, toSeries, withTail } from "../src/data/series.ts";
import { createSparks, telling } from "../src/data/sparks.ts";

const sample = (t: number, value: number | null, more: object = {}) =>
  metric({ name: "m", timestamp: t, value, metric_type: "gauge", labels: {}, ...more });

test("samples in any order become ascending series by label", () => {
  const series = toSeries([
    sample(20, 2, { labels: { core: "1" } }),
    sample(10, 1, { labels: { core: "0" } }),
    sample(10, 5, { labels: { core: "1" } }),
    sample(20, null, { labels: { core: "0" } }),
    sample(20, 9, { labels: { core: "1" } }),
  ]);
  assert.deepEqual(
    series.map((s) => [s.key, s.t, s.v]),
    [
      ["core=0", [10], [1]],
      ["core=1", [10, 20], [5, 2]],
    ],
  );
});

test("the identity of a series leaves out what all lines share", () => {
  const s = sample(1, 1, { labels: { service: "x", b: "2", a: "1" }, instance_id: "i" });
  assert.equal(seriesKey(s), "a=1, b=2, instance=i");
});

test("counters become rates, and a restart counts from zero", () => {
  assert.deepEqual(rates([[0, 10], [10, 30], [20, 5], [25, 5]]), [[10, 2], [20, 0.5], [25, 0]]);
  assert.deepEqual(rates([[0, 1]]), []);
  const [counter] = toSeries([sample(10, 30, { metric_type: "counter" }), sample(0.5, 11, { metric_type: "counter" })]);
  assert.deepEqual(counter?.v, [2]);
});

test("a hole of more than three steps is a gap", () => {
  const [series] = toSeries([0.5, 10.5, 20.5, 30.5, 61].map((t) => sample(t, 1)));
  assert.deepEqual(series?.v, [1, 1, 1, 1, null, 1]);
  assert.deepEqual(series?.t, [0.5, 10.5, 20.5, 30.5, 40.5, 61]);
});

test("a tail replaces what it repeats and lets go what is too old", () => {
  const old = [sample(30, 3), sample(20, 2), sample(10, 1)];
  const joined = withTail(old, [sample(40, 4), sample(30, 33)], 20_000);
  assert.deepEqual(joined.map((s) => [s.timestamp, s.value]), [[40_000, 4], [30_000, 33], [20_000, 2]]);
});

test("columns share one axis; a missing sample is bridged, a gap is not", () => {
  const [axis, a, b] = align([
    { key: "a", labels: {}, t: [1, 3], v: [10, null] },
    { key: "b", labels: {}, t: [2], v: [20] },
  ]);
  assert.deepEqual([axis, a, b], [[1, 2, 3], [10, undefined, null], [undefined, 20, undefined]]);
});

test("a summary skips gaps", () => {
  const s = summary({ key: "", labels: {}, t: [1, 2, 3, 4], v: [5, 9, null, 2] });
  assert.deepEqual(s, { last: 2, min: 2, max: 9, maxAt: 2 });
  assert.deepEqual(summary({ key: "", labels: {}, t: [], v: [] }), { last: null, min: null, max: null, maxAt: null });
});

test("equal neighbours are one bar, and trouble is taller", () => {
  const bars = ["up", "up", null, "down", "up"] as const;
  assert.equal(barPath(bars, "up"), "M0 8h2v4h-2zM4 8h1v4h-1z");
  assert.equal(barPath(bars, "down"), "M3 0h1v12h-1z");
  assert.equal(barPath(bars, "muted"), "");
  assert.equal(barWords(bars), "last 24 h: down 25 %, up 75 %");
  assert.equal(barWords([null]), "last 24 h: nothing known");
});

test("small lines lift the pen at gaps and survive flat, single and no values", () => {
  assert.equal(sparkPath({ t: [0, 1, 2], v: [0, null, 10] }), "M0.0 22.0M100.0 2.0");
  assert.equal(sparkPath({ t: [0, 1], v: [5, 5] }), "M0.0 12.0L100.0 12.0");
  assert.equal(sparkPath({ t: [0], v: [5] }), "M0 12H100");
  assert.equal(sparkPath({ t: [], v: [] }), "");
});

test("colours follow the labels, and do not collide while there are enough", () => {
  assert.deepEqual(colourPlaces(["a"]), [colourPlaces(["b", "a"])[1]]);
  const keys = Array.from({ length: PALETTE_SIZE + 2 }, (_, i) => `k${i}`);
  const places = colourPlaces(keys);
  assert.equal(new Set(places.slice(0, PALETTE_SIZE)).size, PALETTE_SIZE);
  assert.ok(places.every((p) => p >= 0 && p < PALETTE_SIZE));
});

test("the most telling metric is drawn on a tile", () => {
  const named = (...names: string[]) => names.map((name) => sample(1, 1, { name }));
  assert.equal(telling(named("zeta", "cpu_percent", "response_time_ms"))?.name, "response_time_ms");
  assert.equal(telling(named("zeta", "alpha"))?.name, "alpha");
  assert.equal(telling([sample(1, null, { name: "cpu_percent" }), ...named("up", "x_bucket")]), null);
});

test("a followed metric asks for tails, and not before a sample can be there", async () => {
  let now = 10_000_000;
  const asked: Record<string, string | number>[] = [];
  const rows = (...times: number[]) => ({ samples: times.map((t) => ({ name: "m", value: t, timestamp: t })) });
  let answer = rows(9990, 9980, 9970);
  const api = {
    get: async (_path: string, query: Record<string, string | number> = {}) => (asked.push(query), answer),
    post: () => Promise.reject(new Error("reading only")),
  };
  const followed = follow(api, "s", "m", () => now);
  await followed.refresh();
  assert.equal(asked[0]?.["start"], (10_000_000 - HELD_MS) / 1000, "at first the whole window");
  now = 9_997_999;
  await followed.refresh();
  assert.equal(asked.length, 1, "the next sample is not due");
  now = 9_998_000;
  answer = rows(10_000, 9990);
  await followed.refresh();
  assert.equal(asked[1]?.["start"], 9990, "then only the tail");
  assert.deepEqual(followed.samples.value?.map((s) => s.value), [10_000, 9990, 9980, 9970]);
});

test("lines are fetched for watched tiles only, a few at once, and not at every tick", async () => {
  let now = 100_000;
  let open = 0;
  let most = 0;
  const asked: string[] = [];
  const api = {
    get: async (path: string) => {
      asked.push(path);
      most = Math.max(most, ++open);
      await new Promise(setImmediate);
      open--;
      const row = { name: "cpu_percent", value: 1, timestamp: 90 };
      return path.endsWith("cpu_percent") ? { samples: [row] } : { instances: { i: { metrics: [row] } } };
    },
    post: () => Promise.reject(new Error("reading only")),
  };
  const sparks = createSparks(api, () => now);
  const watched = Array.from({ length: 8 }, (_, i) => sparks.watch(`s${i}`));
  const settle = async () => {
    for (let i = 0; i < 40; i++) await new Promise(setImmediate);
  };
  await settle();
  assert.equal(most, 3);
  assert.equal(asked.length, 16);
  assert.equal(watched[7]?.line.value?.metric, "cpu_percent");
  sparks.tick();
  await settle();
  assert.equal(asked.length, 16, "too early");
  now += 15_000;
  watched.slice(1).forEach((w) => w.stop());
  sparks.tick();
  await settle();
  assert.equal(asked.length, 17, "one tile is watched, and its metric is known");
});

test("a tile waits for its line, and for a better metric meanwhile", async () => {
  const counter = { name: "n_total", metric_type: "counter", value: 5, labels: {}, timestamp: 1 };
  const gauge = { name: "response_time", metric_type: "gauge", value: 7, labels: {}, timestamp: 3 };
  const known: object[] = [counter];
  const api: Api = {
    get: async (path) =>
      path === "/metrics/s"
        ? { instances: { s: { metrics: known } } }
        : { samples: path.endsWith("/n_total") ? [counter] : [gauge] },
    post: async () => ({}),
  };
  let now = 1_000_000;
  const sparks = createSparks(api, () => now);
  const watched = sparks.watch("s");
  const settle = async () => {
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
  };
  await settle();
  assert.equal(watched.line.peek()?.metric, undefined, "one sample of a counter is no rate");
  assert.deepEqual([...sparks.drawn.value], []);
  known.push(gauge);
  now += 3000;
  sparks.tick();
  await settle();
  assert.equal(watched.line.peek()?.metric, "response_time");
  assert.deepEqual(watched.line.peek()?.series.v, [7]);
  assert.deepEqual([...sparks.drawn.value], ["s"]);
});

const line = (t: readonly number[]) => [{ key: "", labels: {}, t, v: t.map(() => 1) }];
const every = (step: number, count: number) => line(Array.from({ length: count }, (_, i) => i * step));

test("a chart of few points says how often there is one", () => {
  const cases: [ReturnType<typeof line>, string][] = [
    [[], ""],
    [every(60, 1), "one sample so far"],
    [every(60.2, 2), "one sample a minute"],
    [every(30, 9), "one sample every 30 s"],
    [every(300, 3), "one sample every 5 min"],
    [every(3600, 3), "one sample an hour"],
    [every(60, 10), ""],
    [every(1, 4), ""],
  ];
  for (const [series, words] of cases) assert.equal(sparseWords(series), words);
});

test("an empty window names the nearest sample", () => {
  const now = Date.UTC(2026, 10, 25, 12);
  const window = { from: now - 900_000, to: now };
  const at = (...before: number[]) => line(before.map((s) => now / 1000 - s).sort());
  assert.equal(emptyWords([], 0, window, "utc"), "No sample in the last hour.");
  assert.equal(emptyWords(line([]), 1, window, "utc"), "One sample so far; a rate needs two.");
  assert.equal(emptyWords(at(60), 1, window, "utc"), "");
  assert.equal(
    emptyWords(at(3000, 1200), 2, window, "utc"),
    "No sample in these 15 min; the nearest is of 11:40:00.",
  );
});
