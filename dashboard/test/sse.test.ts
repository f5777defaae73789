import assert from "node:assert/strict";
import { test } from "node:test";
import { SseParser } from "../src/data/sse.ts";

const TEXT =
  ": hello\n\nid: 1\nevent: service\ndata: {\"a\":\ndata: 1}\n\nid: 2\r\ndata: x\r\n\r\nevent: tick\n\ndata\n\n";
const EVENTS = [
  { id: "1", kind: "service", data: '{"a":\n1}' },
  { id: "2", kind: "message", data: "x" },
  { id: "2", kind: "message", data: "" },
];

test("a stream reads the same however it is cut", () => {
  for (let size = 1; size <= TEXT.length; size++) {
    const parser = new SseParser();
    const events = [];
    for (let at = 0; at < TEXT.length; at += size) {
      events.push(...parser.feed(TEXT.slice(at, at + size)));
    }
    assert.deepEqual(events, EVENTS, `in pieces of ${size}`);
    assert.equal(parser.lastId, "2");
  }
});

test("a new connection forgets half an event and keeps the place", () => {
  const parser = new SseParser();
  parser.feed("id: 7\ndata: whole\n\ndata: half");
  parser.restart();
  assert.deepEqual(parser.feed("data: next\n\n"), [{ id: "7", kind: "message", data: "next" }]);
});

test("an event that was cut off is sent again: its id counts once it is whole", () => {
  const parser = new SseParser();
  parser.feed("id: 7\ndata: whole\n\nid: 8\ndata: half");
  assert.equal(parser.lastId, "7");
  parser.restart();
  assert.deepEqual(parser.feed("data: next\n\n"), [{ id: "7", kind: "message", data: "next" }]);
  parser.feed("id: 9\n\n");
  assert.equal(parser.lastId, "9", "an id without data counts too");
  parser.feed("id\ndata: x\n\n");
  assert.equal(parser.lastId, "", "an empty one takes the place away");
});

test("an id with NUL is none", () => {
  const parser = new SseParser();
  parser.feed("id: 3\0\ndata: x\n\n");
  assert.equal(parser.lastId, "");
});
