/** Rules that the source keeps: words are text nodes, and imports go one way. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

declare const SOURCE_ROOT: string;

const files = readdirSync(SOURCE_ROOT, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(path.join(SOURCE_ROOT, name), "utf8") }));

/** What turns text into markup or code, or an element's style into an attribute. */
const FORBIDDEN = [
  /innerHTML/,
  /outerHTML/,
  /insertAdjacentHTML/,
  /document\.write/,
  /createContextualFragment/,
  /\beval\(/,
  /new Function\(/,
  /\bstyle="/,
  /https?:\/\/(?!www\.w3\.org)/,
];

test("no word of the fleet can become markup", () => {
  assert.ok(files.length > 40);
  for (const { name, text } of files) {
    for (const pattern of FORBIDDEN) assert.doesNotMatch(text, pattern, name);
  }
});

/** A folder may import those after it; those in one place do not know each other. */
const LAYERS = [["main.tsx"], ["app"], ["screens"], ["charts", "promql", "ui"], ["data"], ["base"]];
const layerOf = (name: string) => LAYERS.findIndex((l) => l.includes(name.split("/")[0] ?? ""));

test("imports go one way", () => {
  for (const { name, text } of files) {
    for (const [, link] of text.matchAll(/(?:from|import)\s*\(?"(\.[^"]+)"/g)) {
      const target = path.posix.join(path.posix.dirname(name), link ?? "");
      const [here, there] = [layerOf(name), layerOf(target)];
      assert.ok(here >= 0 && there >= 0, `${name} imports ${target}`);
      const sameFolder = name.split("/")[0] === target.split("/")[0];
      assert.ok(there > here || sameFolder, `${name} imports ${target}`);
    }
  }
});

test("screens do not import each other", () => {
  const screenOf = (name: string) => /^screens\/(\w+)/.exec(name)?.[1];
  for (const { name, text } of files.filter((f) => f.name.startsWith("screens/"))) {
    for (const [, link] of text.matchAll(/from "(\.[^"]+)"/g)) {
      const target = path.posix.join(path.posix.dirname(name), link ?? "");
      const other = screenOf(target);
      assert.ok(other === undefined || other === screenOf(name), `${name} imports ${target}`);
    }
  }
});

test("files stay readable", () => {
  for (const { name, text } of files) {
    assert.ok(text.split("\n").length <= 300, `${name} is too long`);
    assert.match(text, /^\/\*\*/, `${name} says what it is`);
  }
});
