import assert from "node:assert/strict";
import { test } from "node:test";
import { changeWords } from "../src/app/announcer.tsx";
import { pillWords } from "../src/app/pill.tsx";
import { alert, event, service, stats } from "../src/data/decode.ts";
import { firstOf, HOST, speakers } from "../src/screens/wall/first.ts";
import { busNotice } from "../src/screens/wall/notice.tsx";
import {
  byService,
  filtered,
  grouped,
  ordered,
  sentence,
  targetOf,
  upcoming,
  verdict,
} from "../src/screens/wall/model.ts";
import { matches } from "../src/ui/combobox.tsx";

const make = (name: string, status = "up", more: object = {}) =>
  service({ service_name: name, status, ...more });

test("worst first, in groups and between them; equals keep the fleet's order", () => {
  const groups = grouped([
    make("tts_service"),
    make("stt_service", "down"),
    make("zz_mine", "up", { group: "mine" }),
    make("unheard_of"),
    make("device_registry", "degraded"),
    make("config_service"),
    make("ha_bridge"),
  ]);
  assert.deepEqual(
    groups.map((g) => [g.name, g.services.map((s) => s.service_name)]),
    [
      ["voice", ["stt_service", "tts_service"]],
      ["core", ["device_registry", "config_service"]],
      ["devices", ["ha_bridge"]],
      ["mine", ["zz_mine"]],
      ["other", ["unheard_of"]],
    ],
  );
});

test("filters join: all words, any of the statuses", () => {
  const all = [make("stt_service", "down", { reason: "silent" }), make("tts_service")];
  const names = (text: string, statuses: ("up" | "down")[]) =>
    filtered(all, { text, statuses }).map((s) => s.service_name);
  assert.deepEqual(names("", []), ["stt_service", "tts_service"]);
  assert.deepEqual(names("SERVICE  voice", []), ["stt_service", "tts_service"]);
  assert.deepEqual(names("silent", ["up"]), []);
  assert.deepEqual(names("t", ["up"]), ["tts_service"]);
});

test("the verdict is the truth in one line", () => {
  const cases: [ReturnType<typeof make>[], string, string][] = [
    [[], "Waiting for the first service", "unknown"],
    [[make("a"), make("b")], "All 2 services are up", "up"],
    [[make("a")], "The only service is up", "up"],
    [[make("a"), make("b", "unknown")], "The only known service is up", "up"],
    [[make("a"), make("b"), make("c", "unknown")], "All 2 known services are up", "up"],
    [[make("a", "muted"), make("b", "muted")], "All 2 services are muted", "muted"],
    [[make("a", "unknown")], "1 service is unknown", "unknown"],
    [[make("a", "degraded"), make("b")], "1 of 2 services needs attention", "degraded"],
    [[make("a", "degraded"), make("b", "down")], "2 of 2 services need attention", "down"],
  ];
  for (const [services, text, tone] of cases) {
    const said = verdict(services);
    assert.deepEqual([said.text, said.tone], [text, tone]);
  }
});

test("a reason is not told twice", () => {
  assert.equal(sentence(make("a", "down", { reason: "down: silent 94 s" })), "a is down: silent 94 s");
  assert.equal(sentence(make("a", "up")), "a is up");
});

test("alerts: firing, severe, young come first", () => {
  const a = (id: string, state: string, severity: string, at: number) =>
    alert({ alert_id: id, state, severity, fired_at: at });
  const list = [a("1", "pending", "critical", 9), a("2", "firing", "info", 9), a("3", "firing", "error", 1), a("4", "firing", "error", 2)];
  assert.deepEqual(ordered(list).map((x) => x.alert_id), ["4", "3", "2", "1"]);
});

test("next runs leave out paused events; a topic tells its target", () => {
  const e = (id: string, next: number | null, more: object = {}) =>
    event({ event_id: id, name: id, next_run: next, ...more });
  const events = [
    e("late", 30),
    e("paused", 5, { status: "paused" }),
    e("soon", 10, { target_topic: "alicia/tts_service/command" }),
    e("never", null),
  ];
  assert.deepEqual(upcoming(events).map((x) => x.event_id), ["soon", "late"]);
  assert.equal(targetOf(events[2]!), "tts_service");
  const { nextRun, alertCount } = byService(
    [alert({ alert_id: "1", service_name: "tts_service", state: "firing" })],
    events,
  );
  assert.equal(nextRun.get("tts_service")?.event_id, "soon");
  assert.equal(alertCount.get("tts_service"), 1);
});

test("each gap between bus and wall has its words", () => {
  const bus = (bus: object) => stats({ bus });
  const now = 100_000;
  const heard = [make("stt_service")];
  assert.equal(busNotice(null, [], now), null);
  assert.equal(busNotice(bus({}), [], now), null);
  assert.equal(busNotice(bus({ connected: true }), heard, now), null);
  assert.equal(
    busNotice(bus({ connected: false, address: "h:1883" }), heard, now)?.text,
    "HTTP works; no bus at h:1883.",
  );
  assert.equal(busNotice(bus({ connected: true }), [make("metrics_collector")], now)?.command, "alicia demo");
  assert.equal(
    busNotice(bus({ connected: true, messages: 3, last_message: 40 }), [], now)?.text,
    "Connected to the bus, no service heard for 1 min.",
  );
  assert.equal(
    busNotice(bus({ connected: true }), [make("a", "unknown")], now)?.text,
    "1 sender, none answers the health poke.",
  );
});

test("the pill turns stale after 15 s", () => {
  const waiting = { phase: "waiting", since: 0, retryAt: 16_500 } as const;
  assert.deepEqual(pillWords(waiting, 14_999), { tone: "trying", text: "reconnecting · retry in 2 s" });
  assert.deepEqual(pillWords(waiting, 15_000), { tone: "stale", text: "stale for 15 s · retry in 2 s" });
  assert.equal(pillWords({ phase: "live" }, 0).tone, "live");
});

test("changes are told in one sentence, first sights are not", () => {
  const before = new Map([["a", "up"], ["b", "up"]] as const);
  assert.equal(changeWords(before, [make("a"), make("new", "down")]), "");
  assert.equal(changeWords(before, [make("a", "down"), make("b", "degraded")]), "a is down, 1 more changed");
});

test("options match by words, those that start so come first", () => {
  const options = ["response_time", "time_total", "cpu_percent"];
  assert.deepEqual(matches(options, "time"), ["time_total", "response_time"]);
  assert.deepEqual(matches(options, "time resp"), ["response_time"]);
  assert.deepEqual(matches(options, ""), options);
});

test("the first chart is of a service that speaks, those in trouble before the rest", () => {
  const names = speakers([
    make("metrics_collector"),
    make("tts_service"),
    make("config_service"),
    make("stt_service", "down"),
    make("ha_bridge", "unknown"),
    make("sonos_service", "degraded"),
  ]);
  assert.deepEqual(names, ["sonos_service", "config_service", "tts_service"]);
});

test("the first chart waits for the first speaker, then takes what there is", () => {
  const names = ["a", "b", "c"];
  const cases: [readonly string[] | null, string[], boolean, string][] = [
    [null, [], false, ""],
    [null, [], true, HOST],
    [names, [], false, ""],
    [names, ["b"], false, ""],
    [names, ["b", "a"], false, "a"],
    [names, ["c", "b"], true, "b"],
    [names, [], true, HOST],
    [names, ["gone"], true, HOST],
    [[], [], false, HOST],
  ];
  for (const [speaking, drawn, waited, first] of cases) {
    assert.equal(firstOf(speaking, new Set(drawn), waited), first);
  }
});
