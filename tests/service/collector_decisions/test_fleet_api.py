import asyncio
import json
from typing import Any

from alicia.adapters.http.outbound import OutboundFailed, OutboundReply
from alicia.promql.engine import Engine

from .conftest import World


def tell(world: World, topic: str, **body: Any) -> None:
    world.harness.tell(f"alicia/{topic}", json.dumps(body).encode())


async def service(world: World, name: str, query: str = "") -> dict[str, Any]:
    reply = await world.http.get(f"/services/{name}{query}")
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def up(world: World) -> dict[str, float]:
    result = Engine(world.collector.store).instant("up", world.clock.now_ms())
    assert isinstance(result, tuple)
    return {element.labels["service"]: element.value for element in result}


async def test_a_service_is_judged_by_its_word_and_its_silence(world: World) -> None:
    tell(world, "system/discovery/register", service_name="stt_service", version="2.1",
         capabilities=["speech"], status="online")  # fmt: skip
    tell(world, "system/health/stt_service", status="healthy", uptime=60)
    await world.judge()
    assert await service(world, "stt_service") == {
        "service_name": "stt_service", "group": "voice", "status": "up", "code": "reported",
        "reason": "reports healthy", "since": 1795425234.0, "first_seen": 1795425234.0,
        "last_seen": 1795425234.0, "cadence": 10.0, "version": "2.1", "capabilities": ["speech"],
        "restarts": 0, "uptime_ratio_24h": None,
        "instances": [{
            "instance_id": "stt_service", "status": "up", "last_seen": 1795425234.0,
            "last_health": 1795425234.0,
            "started_at": 1795425174.0, "version": "2.1", "address": "", "restarts": 0,
        }],
    }  # fmt: skip
    assert up(world) == {"stt_service": 1.0, "metrics_collector": 1.0}
    await world.judge(31_000)
    silent = await service(world, "STT-Service", "?bars=2")
    assert (silent["status"], silent["reason"]) == ("down", "silent 31 s; usually every 10 s")
    assert silent["bars"] == [None, "down"]
    assert up(world)["stt_service"] == 0.0
    await world.turn(0)
    await world.turn()
    assert [a["rule_name"] for a in await world.alerts()] == ["service_down"]


async def test_muted_services_are_no_alert(world: World) -> None:
    tell(world, "system/health/a", status="failed")
    await world.judge()
    assert up(world)["a"] == 0.0
    tell(world, "services/a/status", status="maintenance")
    await world.judge(1000)
    assert (await service(world, "a"))["status"] == "muted"
    assert "a" not in up(world)


async def test_a_restart_loop_is_one_alert_until_five_quiet_minutes(world: World) -> None:
    started_ms = world.clock.now_ms() - 600_000
    codes, states = set(), []
    for minute in range(20):
        if minute in (1, 2, 3, 6):
            started_ms = world.clock.now_ms()
        for _ in range(6):
            uptime = (world.clock.now_ms() - started_ms) / 1000
            tell(world, "system/health/a", status="ok", uptime=uptime)
            await world.judge(10_000)
            codes.add((await service(world, "a"))["code"])
            await world.turn(0)
        await world.decisions.fleet.poke()
        states.append(up(world)["a"])
    assert codes == {"reported", "restart_loop"}
    assert states == [1.0] * 3 + [0.0] * 7 + [1.0] * 10
    assert [m["event"] for m in world.told("metrics/alerts")] == ["firing", "resolved"]


async def test_the_wall_lists_all_with_bars(world: World) -> None:
    for name in ("b", "a"):
        tell(world, f"system/health/{name}", status="ok")
    await world.judge()
    listed = (await world.http.get("/services?bars=3")).json()["services"]
    assert [(s["service_name"], s["bars"]) for s in listed] == [
        ("a", [None, None, "up"]), ("b", [None, None, "up"]),
        ("metrics_collector", [None, None, "up"]),
    ]  # fmt: skip
    assert (await world.http.get("/services?bars=x")).status_code == 422
    unknown = await world.http.get("/services/none")
    assert (unknown.status_code, unknown.json()["type"]) == (404, "not_found")


async def test_pokes_go_out_and_say_who_asks(world: World) -> None:
    await world.decisions.fleet.poke()
    await world.settle()
    [poke] = world.told("system/health/check")
    assert (poke["service_name"], poke["status"]) == ("metrics_collector", "healthy")
    assert "payload" in poke  # an object at both levels, or readers count it as an error


async def test_every_connection_begins_with_a_poke(world: World) -> None:
    for _ in range(2):
        world.collector._on_bus_state(world.collector.bus.state)
        await world.settle()
    assert len(world.told("system/health/check")) == 2
    assert [m["service_name"] for m in world.told("system/discovery/register")] == [
        "metrics_collector", "metrics_collector",
    ]  # fmt: skip


async def test_a_registered_name_is_the_spelling_of_its_metrics_too(world: World) -> None:
    def send(value: int) -> None:
        tell(world, "metrics/collect", service_name="Alicia-My-Lamp",
             metrics=[{"name": "m", "value": value}])  # fmt: skip

    send(1)
    assert (await world.http.get("/metrics/my_lamp")).status_code == 404
    tell(world, "system/discovery/register", service_name="my_lamp")
    send(2)
    assert (await world.http.get("/metrics/my_lamp")).status_code == 200
    await world.judge()
    assert "Alicia-My-Lamp" not in world.decisions.fleet.records


async def test_a_broker_restart_is_no_restart_of_its_services(world: World) -> None:
    names = [f"s{i}" for i in range(22)]
    for _ in range(2):
        for name in names:
            now_s = world.clock.now_ms() / 1000
            tell(world, "system/discovery/register", service_name=name, timestamp=now_s)
        await world.judge()
        world.harness.broker.stop()
        world.clock.pass_ms(600_000)
        world.harness.broker.start()
        await world.settle()
    assert [world.decisions.fleet.records[name].restarts_total for name in names] == [0] * 22


async def test_records_survive_a_kill_but_nobody_claims_to_know_how_they_are(world: World) -> None:
    tell(world, "system/health/a", status="ok")
    await world.judge()
    await world.killed_and_started()
    kept = await service(world, "a")
    assert (kept["status"], kept["code"]) == ("unknown", "not_judged")
    await world.judge(1000)
    assert (await service(world, "a"))["status"] == "up"


async def test_nobody_is_judged_while_the_broker_is_away(world: World) -> None:
    tell(world, "system/health/a", status="ok")
    await world.judge()
    world.harness.broker.stop()
    await world.judge(600_000)
    assert (await service(world, "a"))["status"] == "up"
    ours = await service(world, "metrics_collector")
    assert (ours["status"], ours["capabilities"]) == (
        "degraded", ["metrics", "alerting", "monitoring"],
    )  # fmt: skip


class Polls:
    """Stands in for the outgoing door and answers like the service on that port."""

    def __init__(self, answers: dict[str, object]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def request(self, _method: str, url: str, **_options: object) -> OutboundReply:
        self.asked.append(url)
        answer = self.answers.get(url)
        if answer is None:
            raise OutboundFailed("nobody", reason="connect")
        return OutboundReply(200, {}, json.dumps(answer).encode())


async def test_the_silent_are_asked_over_http(world: World, monkeypatch: Any) -> None:
    polls = Polls({
        "http://127.0.0.1:8001/health": {"service": "stt_service", "status": "healthy"},
        "http://10.0.0.9:1/health": {"service_name": "someone_else", "status": "healthy"},
    })  # fmt: skip
    monkeypatch.setattr(world.decisions.fleet._parts.poller, "_outbound", polls)
    tell(world, "system/health/stt_service", status="healthy")
    tell(world, "services/register", service_name="b", ip_address="10.0.0.9", port=1)
    world.clock.pass_ms(16_000)
    await world.decisions.fleet.poke()
    assert sorted(polls.asked) == ["http://10.0.0.9:1/health", "http://127.0.0.1:8001/health"]
    await world.judge(20_000)
    assert (await service(world, "stt_service"))["status"] == "up"
    assert world.collector.counters.by_label("polls") == {"ok": 1, "foreign": 1}


async def test_hostile_messages_make_no_service_and_no_noise(world: World) -> None:
    tell(world, "system/health/a+b", status="ok")
    tell(world, "system/discovery/register", service_name="x\x00y")
    tell(world, "system/discovery/register", service_name={"a": 1})
    tell(world, "voice/x/request", source="stranger", message_id="1")
    world.harness.tell("alicia/system/health/b", b"\xff\xfe")
    world.harness.tell("alicia/system/health/c", b"ok", retained=True)
    assert set(world.decisions.fleet.records) == {"c"}
    await world.judge()
    assert (await service(world, "c"))["status"] == "unknown"


async def test_services_are_bounded(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("alicia.collector.poll.SERVICES_MAX", 3)
    for i in range(5):
        tell(world, f"system/health/s{i}", status="ok")
    assert len(world.decisions.fleet.records) == 3
    assert world.collector.counters.by_label("services") == {"overflow": 2}


async def test_a_status_change_is_live(world: World) -> None:
    tell(world, "system/health/a", status="ok")
    await world.judge()
    awake = asyncio.Event()
    client = world.decisions.live.attach(awake.set)
    assert client is not None
    tell(world, "system/health/a", status="offline")
    await world.judge(1000)
    heard = b""
    while b'"status":"down"' not in heard:  # at once, or merged with what came just before
        await awake.wait()
        awake.clear()
        heard += client.take()
    world.decisions.live.detach(client)


async def test_the_scheduler_is_heard_live_and_nobody_else(world: World) -> None:
    client = world.decisions.live.attach(lambda: None)
    assert client is not None
    client.take()
    tell(world, "scheduler/executions", source="stt_service", execution_id="x", status="completed")
    assert b"event: execution" not in client.take()
    tell(
        world, "scheduler/executions", source="event_scheduler", execution_id="x", status="running"
    )
    assert b"event: execution\n" in client.take()
    world.decisions.live.detach(client)


async def test_a_step_of_the_clock_makes_nobody_silent(world: World) -> None:
    for step_ms in (3_600_000, -7_200_000):
        tell(world, "system/health/a", status="ok")
        await world.judge()
        world.clock.wall_ms += step_ms
        await world.judge(1000)
        assert (await service(world, "a"))["status"] == "up"
    await world.judge(31_000)
    assert (await service(world, "a"))["status"] == "down"


async def test_signs_of_life_are_booked_once_a_second(world: World) -> None:
    tell(world, "system/health/a", status="ok")
    # time passed | last seen after a message
    for passed_ms, seen in ((1, 234.001), (998, 234.001), (2, 235.001), (1000, 236.001)):
        world.clock.pass_ms(passed_ms)
        tell(world, "voice/x/request", source="a")
        assert (await service(world, "a"))["last_seen"] == 1795425000 + seen
