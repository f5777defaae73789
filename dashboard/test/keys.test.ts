import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { isTyping, Keymap } from "../src/base/keys.ts";

let keys: Keymap;
let ran: string[];

const bind = (name: string, more: { always?: boolean } = {}) => ({
  keys: name,
  label: name,
  group: "g",
  run: () => void ran.push(name),
  ...more,
});
const press = (key: string, at = 0, more: { typing?: boolean; modified?: boolean } = {}) =>
  keys.press({ key, at, typing: false, modified: false, ...more });

beforeEach(() => {
  keys = new Keymap();
  ran = [];
});

test("a key runs its binding, and only while it is bound", () => {
  const remove = keys.add([bind("j")]);
  assert.equal(press("j"), true);
  remove();
  assert.equal(press("j"), false);
  assert.deepEqual(ran, ["j"]);
});

test("text fields and modifiers keep their keys", () => {
  keys.add([bind("j"), bind("Escape", { always: true })]);
  assert.equal(press("j", 0, { typing: true }), false);
  assert.equal(press("j", 0, { modified: true }), false);
  assert.equal(press("Escape", 0, { typing: true }), true);
});

test("a sequence needs both keys within a second", () => {
  keys.add([bind("g w"), bind("w")]);
  press("g", 0);
  press("w", 1000);
  press("g", 2000);
  press("w", 3001);
  press("g", 4000);
  press("x", 4100);
  press("w", 4200);
  assert.deepEqual(ran, ["g w", "w", "w"]);
});

test("the newest of equal keys wins and is listed once", () => {
  keys.add([bind("l")]);
  keys.add([{ ...bind("l"), label: "newer", run: () => void ran.push("newer") }]);
  press("l");
  assert.deepEqual(ran, ["newer"]);
  assert.deepEqual(keys.list().map((b) => b.label), ["newer"]);
});

test("a binding may leave the key to the browser", () => {
  keys.add([{ ...bind("Enter"), run: () => false }]);
  assert.equal(press("Enter"), false);
});

test("what takes text", () => {
  const element = (tagName: string, isContentEditable = false) =>
    ({ tagName, isContentEditable }) as unknown as EventTarget;
  assert.equal(isTyping(element("INPUT")), true);
  assert.equal(isTyping(element("A")), false);
  assert.equal(isTyping(element("DIV", true)), true);
  assert.equal(isTyping(null), false);
});
