import assert from "node:assert/strict";
import { test } from "node:test";
import {
  absolute,
  ago,
  clockText,
  compact,
  countdown,
  everyWords,
  longSpan,
  measure,
  metricWords,
  plural,
  span,
  ticks,
  unitOf,
  zoneName,
} from "../src/base/format.ts";

const AT = Date.UTC(2026, 10, 25, 9, 5, 7);

test("values keep at most four significant digits", () => {
  const cases: [number | null | undefined, string][] = [
    [0, "0"],
    [7, "7"],
    [12.34, "12.3"],
    [0.1234, "0.123"],
    [0.00001234, "1.2e−5"],
    [100, "100"],
    [999.6, "1000"],
    [9999, "9999"],
    [10_000, "10k"],
    [1_234_567, "1.23M"],
    [2.5e12, "2.5T"],
    [-42.5, "−42.5"],
    [-0.00002, "−2.0e−5"],
    [Number.NaN, "–"],
    [Number.POSITIVE_INFINITY, "∞"],
    [Number.NEGATIVE_INFINITY, "−∞"],
    [null, "–"],
    [undefined, "–"],
  ];
  for (const [value, text] of cases) assert.equal(compact(value), text);
});

test("spans change their unit at its size", () => {
  const cases: [number, string, string][] = [
    [-5, "0 s", "0 s"],
    [59_999, "59 s", "59 s"],
    [60_000, "1 min", "1 min 00 s"],
    [3_599_999, "59 min", "59 min 59 s"],
    [3_600_000, "1 h", "1 h 00 min"],
    [47 * 3_600_000, "47 h", "1 d 23 h"],
    [48 * 3_600_000, "2 d", "2 d 0 h"],
  ];
  for (const [ms, short, long] of cases) {
    assert.equal(span(ms), short);
    assert.equal(longSpan(ms), long);
  }
});

test("relative times", () => {
  assert.equal(ago(null, AT), "never");
  assert.equal(ago(AT - 999, AT), "just now");
  assert.equal(ago(AT - 1000, AT), "1 s ago");
  assert.equal(ago(AT + 5000, AT), "just now");
});

test("countdowns end at due and never before", () => {
  assert.equal(countdown(AT, AT), "due");
  assert.equal(countdown(AT + 1, AT), "0:01");
  assert.equal(countdown(AT + 65_000, AT), "1:05");
  assert.equal(countdown(AT + 3_599_000, AT), "59:59");
  assert.equal(countdown(AT + 3_600_000, AT), "1 h 00 min");
});

test("clock times follow the zone, and name the day when it is another one", () => {
  assert.equal(clockText(AT, AT, "utc"), "09:05:07");
  assert.equal(clockText(AT, AT, "local"), "10:05:07");
  assert.equal(clockText(AT, AT + 86_400_000, "utc"), "25 Nov 09:05");
  // 23:30 UTC is the next day in Berlin.
  const late = Date.UTC(2026, 10, 25, 23, 30);
  assert.equal(clockText(late, AT, "utc"), "23:30:00");
  assert.equal(clockText(late, AT, "local"), "26 Nov 00:30");
});

test("absolute times name their offset, in winter and in summer", () => {
  assert.equal(absolute(AT, "utc"), "2026-11-25 09:05:07 UTC");
  assert.equal(absolute(AT, "local"), "2026-11-25 10:05:07 UTC+1");
  assert.equal(zoneName(Date.UTC(2026, 6, 1), "local"), "UTC+2");
});

test("measures are said in the size people use", () => {
  const cases: [number | null, string, string][] = [
    [0.0123, "seconds", "12.3 ms"],
    [4.2, "seconds", "4.2 s"],
    [7200, "seconds", "2 h 00 min"],
    [12.3, "ms", "12.3 ms"],
    [12_300, "ms", "12.3 s"],
    [41.2, "percent", "41.2 %"],
    [0, "bytes", "0 B"],
    [999, "bytes", "999 B"],
    [4200, "bytes", "4.2 kB"],
    [52_428_800, "bytes", "52.4 MB"],
    [3, "", "3"],
    [3, "lux", "3 lux"],
    [null, "bytes", "–"],
  ];
  for (const [value, unit, text] of cases) assert.equal(measure(value, unit), text);
});

test("a unit is told, or stands in the name, or there is none", () => {
  assert.equal(unitOf("x", "lux"), "lux");
  assert.equal(unitOf("disk_free_bytes", ""), "bytes");
  assert.equal(unitOf("request_seconds_sum", ""), "seconds");
  assert.equal(unitOf("request_seconds_bucket", "seconds"), "");
  assert.equal(unitOf("cpu", ""), "");
});

test("words", () => {
  assert.equal(plural(1, "alert"), "1 alert");
  assert.equal(plural(0, "alert"), "0 alerts");
  assert.equal(metricWords("response_time_ms"), "response time");
  assert.equal(metricWords("http_requests_total"), "http requests");
});

test("ticks tell neighbours apart and say their unit", () => {
  const cases: [number[], string, string[]][] = [
    [[0.0125, 0.013, 0.0135], "seconds", ["12.5 ms", "13.0 ms", "13.5 ms"]],
    [[0, 2.5, 5], "s", ["0.0 s", "2.5 s", "5.0 s"]],
    [[-1, 0, 1], "", ["−1", "0", "1"]],
    [[0, 50, 100], "percent", ["0 %", "50 %", "100 %"]],
    [[0, 50e6, 100e6], "bytes", ["0 B", "50 MB", "100 MB"]],
    [[0, 20_000, 40_000], "", ["0", "20k", "40k"]],
    [[7], "celsius", ["7"]],
  ];
  for (const [values, unit, texts] of cases) assert.deepEqual(ticks(values, unit), texts);
});

test("long cadences are whole seconds", () => {
  assert.equal(everyWords(29.6), "every 30 s");
  assert.equal(everyWords(2.5), "every 2.5 s");
});
