import assert from "node:assert/strict";
import { test } from "node:test";
import { oneOf, param, someOf, text } from "../src/base/params.ts";
import { createRouter, formatPlace, parsePlace, type AddressBar } from "../src/base/router.ts";

class FakeBar implements AddressBar {
  history: string[];
  #listener = () => {};

  constructor(start: string) {
    this.history = [start];
  }
  hash = () => this.history.at(-1) ?? "";
  push(hash: string): void {
    this.history.push(hash);
    this.#listener();
  }
  replace(hash: string): void {
    this.history[this.history.length - 1] = hash;
    this.#listener();
  }
  onChange(listener: () => void): void {
    this.#listener = listener;
  }
  back(): void {
    this.history.pop();
    this.#listener();
  }
}

test("any hash is a place", () => {
  const cases: [string, string, string][] = [
    ["", "/", ""],
    ["#", "/", ""],
    ["#nonsense", "/", ""],
    ["#/", "/", ""],
    ["#/service/a%20b", "/service/a%20b", ""],
    ["#/?q=x%26y&status=up", "/", "q=x%26y&status=up"],
    ["#/?q=a?b", "/", "q=a%3Fb"],
  ];
  for (const [hash, path, query] of cases) {
    const place = parsePlace(hash);
    assert.equal(place.path, path);
    assert.equal(place.query.toString(), query);
  }
});

test("equal states have equal addresses", () => {
  assert.equal(formatPlace(parsePlace("#/?b=2&a=1&c=")), "#/?a=1&b=2");
  assert.equal(formatPlace(parsePlace("#/?")), "#/");
});

test("setting keeps the other parameters, and replace makes no history", () => {
  const bar = new FakeBar("#/?q=stt&tz=utc");
  const router = createRouter(bar);
  router.set({ q: null, status: "down" });
  assert.deepEqual(bar.history, ["#/?status=down&tz=utc"]);
  router.set({ zoom: "1-2" }, "push");
  assert.equal(bar.history.length, 2);
  bar.back();
  assert.equal(router.place.value.query.get("zoom"), null);
  router.set({ status: "down" }, "push");
  assert.equal(bar.history.length, 1, "an unchanged address is no step");
});

test("a parameter changes its listeners only when its own text does", () => {
  const bar = new FakeBar("#/?q=a");
  const router = createRouter(bar);
  const q = param(router, "q", text);
  let seen = 0;
  q.value.subscribe(() => seen++);
  router.set({ tz: "utc" });
  assert.equal(seen, 1);
  q.set("b");
  assert.equal(seen, 2);
  assert.equal(q.href(""), "#/?tz=utc");
});

test("words that are not listed do not pass", () => {
  const zone = oneOf("local", "utc");
  assert.equal(zone.parse("utc"), "utc");
  assert.equal(zone.parse("<b>"), "local");
  assert.equal(zone.parse(null), "local");
  assert.equal(zone.format("local"), null);
  const statuses = someOf("down", "up");
  assert.deepEqual(statuses.parse("up nonsense down"), ["down", "up"]);
  assert.deepEqual(statuses.parse(null), []);
  assert.equal(statuses.format([]), null);
  assert.equal(statuses.format(["up", "down"]), "down up");
});
