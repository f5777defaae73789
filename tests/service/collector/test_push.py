"""``/metrics/job/…`` as clients of the Pushgateway use it; contract.md §3."""

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.service.collector.collector_harness import Harness
from tests.support.stepped_clock import START_MS

from alicia.adapters.http.roles import Role
from alicia.series.samples import is_stale
from alicia.tsdb.ports import DiskFault
from alicia.tsdb.store import Batch
from alicia.wire.push import PushGroup

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
CASES = Path(__file__).parents[3].parent / "shared" / "conformance" / "openmetrics"


@pytest.fixture
async def pushed(tmp_path: Path) -> AsyncIterator["Gateway"]:
    gateway = Gateway(tmp_path)
    await gateway.start()
    yield gateway
    await gateway.stop()


class Gateway:
    """A collector with its database open, and its loops turned by hand."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    async def start(self) -> None:
        self.harness = Harness(self._data_dir, MAX_SERIES="100", MAX_SERIES_PER_SERVICE="50")
        self.store = self.harness.collector.store
        await self.harness.collector.decisions.load()

    async def stop(self) -> None:
        await self.harness.http.aclose()
        await self.harness.collector.stop()

    async def send(
        self, method: str, path: str, body: str | bytes = b"", kind: str | None = "text/plain",
        **headers: str,
    ) -> httpx.Response:  # fmt: skip
        if kind is not None:
            headers["content-type"] = kind
        return await self.harness.http.request(
            method, f"/metrics/{path}", content=body, headers=headers
        )

    async def put(self, path: str, body: str) -> None:
        reply = await self.send("PUT", path, body)
        assert reply.status_code == 200, reply.text

    async def repeat(self, passed_ms: int = 30_000) -> None:
        self.harness.clock.pass_ms(passed_ms)
        await self.harness.collector.decisions.pushes.repeat()

    def seen(self) -> dict[str, float]:
        """What a query would see a second from now, but for the times of pushes."""
        latest = self.store.latest((), self.harness.clock.now_ms() + 1000)
        return {
            str(sample.labels): sample.value
            for sample in latest
            if sample.labels.name != "push_time_seconds"
        }


async def test_a_push_is_seen_until_it_is_deleted(pushed: Gateway) -> None:
    reply = await pushed.send("PUT", "job/backup/host/nas", "# TYPE size gauge\nsize 5\n")
    assert (reply.status_code, reply.json()) == (200, {"accepted": 1, "rejected": []})
    for _ in range(40):  # 20 min, four times what a query looks back
        await pushed.repeat()
    assert pushed.seen() == {'size{host="nas",job="backup"}': 5}
    reply = await pushed.send("DELETE", "job/backup/host/nas")
    assert reply.status_code == 202
    assert pushed.seen() == {}
    await pushed.repeat()
    assert pushed.seen() == {}


async def test_put_replaces_the_group_and_post_metrics_of_the_same_name(pushed: Gateway) -> None:
    await pushed.put("job/a", 'x{i="1"} 1\ny 2\n')
    await pushed.put("job/b", "x 7\n")
    reply = await pushed.send("POST", "job/a", 'x{i="2"} 3\n')
    assert reply.status_code == 200
    assert pushed.seen() == {'x{i="2",job="a"}': 3, 'y{job="a"}': 2, 'x{job="b"}': 7}
    await pushed.put("job/a", "z 4\n")
    assert pushed.seen() == {'z{job="a"}': 4, 'x{job="b"}': 7}
    await pushed.repeat()
    assert pushed.seen() == {'z{job="a"}': 4, 'x{job="b"}': 7}


async def test_what_ends_has_a_marker(pushed: Gateway) -> None:
    await pushed.put("job/a", "x 1\n")
    (series,) = (labels for labels in pushed.store.series(()) if labels.name == "x")
    await pushed.put("job/a", "")
    assert [is_stale(sample.value) for sample in pushed.store.samples(series)] == [False, True]


async def test_the_time_of_the_last_push_is_told(pushed: Gateway) -> None:
    await pushed.put("job/a", "")
    pushed.harness.clock.pass_ms(5000)
    assert (await pushed.send("POST", "job/a")).status_code == 200
    await pushed.repeat()
    (sample,) = pushed.store.latest((), pushed.harness.clock.now_ms())
    assert str(sample.labels) == 'push_time_seconds{job="a"}'
    assert sample.value == START_MS / 1000 + 5


async def test_pushes_in_one_millisecond_follow_each_other(pushed: Gateway) -> None:
    for value in range(5):
        await pushed.put("job/a", f"x {value}\n")
        assert pushed.seen() == {'x{job="a"}': value}
        assert (await pushed.send("DELETE", "job/a")).status_code == 202
        assert pushed.seen() == {}


async def test_groups_survive_a_restart(pushed: Gateway) -> None:
    await pushed.put("job/a/x@base64/=", "m 1\nn NaN\n")
    await pushed.put("job/b", "m 2\n")
    await pushed.send("DELETE", "job/b")
    now_ms = pushed.harness.clock.wall_ms
    await pushed.stop()
    await pushed.start()
    pushed.harness.clock.pass_ms(now_ms - START_MS)
    await pushed.repeat(passed_ms=3_000_000)
    assert {name: str(value) for name, value in pushed.seen().items()} == {
        'm{job="a"}': "1.0",
        'n{job="a"}': "nan",
    }
    await pushed.send("DELETE", "job/a/x@base64/=")
    assert pushed.seen() == {}


async def test_grouping_labels_win_over_those_in_the_body(pushed: Gateway) -> None:
    coded = base64.urlsafe_b64encode(b"/var/tmp").decode()
    await pushed.put(f"job/a/path@base64/{coded}/y/1%2F2", 'm{job="z",path="p",k="v"} 1\n')
    assert pushed.seen() == {'m{job="a",k="v",path="/var/tmp",y="1/2"}': 1}
    await pushed.put(f"job@base64/{coded}", "m 2\n")
    assert pushed.seen()['m{job="/var/tmp"}'] == 2


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (None, "m 1\n"),
        ("text/plain", "m 1"),
        ("text/plain; version=0.0.4; charset=utf-8", "m 1\n"),
        ("application/x-www-form-urlencoded", "m 1\n"),
        (OPENMETRICS, "m 1\n# EOF\n"),
        ("application/openmetrics-text", "m 1\n# EOF\n"),
    ],
)
async def test_a_body_is_read_by_its_content_type(
    pushed: Gateway, kind: str | None, body: str
) -> None:
    assert (await pushed.send("PUT", "job/a", body, kind)).status_code == 200
    assert pushed.seen() == {'m{job="a"}': 1}


async def test_a_body_may_be_compressed(pushed: Gateway) -> None:
    body = gzip.compress(b"m 1\n" + b"# nothing\n" * 10_000)
    headers = {"content-encoding": "gzip"}
    reply = await pushed.send("PUT", "job/a", body, **headers)
    assert reply.status_code == 200
    assert pushed.seen() == {'m{job="a"}': 1}


@pytest.mark.parametrize(
    ("path", "body", "kind", "answer"),
    [
        ("job/a", "m 1\nm x\n", "text/plain", (400, "bad_exposition", "line 2: value 'x'")),
        ("job/a", "m 1\n", OPENMETRICS, (400, "bad_exposition", "line 2: the text does not end")),
        ("job/a", "m 1\nm 2\n", "text/plain", (400, "bad_exposition", "there twice")),
        ("job/a", b"m \xff", "text/plain", (400, "bad_exposition", "not UTF-8")),
        ("job/a/x", "m 1\n", "text/plain", (400, "bad_grouping", "no value")),
        ("job/", "m 1\n", "text/plain", (400, "bad_grouping", "send job@base64/=")),
        (
            "job/a",
            b"\x08\x01",
            "application/vnd.google.protobuf; encoding=delimited",
            (415, "wrong_content_type", "delimited protobuf is not taken here; send text/plain"),
        ),
        ("job/a", "{}", "application/json", (415, "wrong_content_type", "'application/json'")),
        (
            "job/a",
            "# EOF\n",
            "application/openmetrics-text; version=2.0.0",
            (415, "wrong_content_type", "version=2.0.0"),
        ),
    ],
)
async def test_a_defect_is_told_and_nothing_is_stored(
    pushed: Gateway, path: str, body: str | bytes, kind: str, answer: tuple[int, str, str]
) -> None:
    await pushed.put("job/a", "m 5\n")
    status, code, told = answer
    for method in ("PUT", "POST"):
        reply = await pushed.send(method, path, body, kind)
        assert (reply.status_code, reply.json()["type"]) == (status, code)
        assert told in reply.json()["detail"]
    await pushed.repeat()
    assert pushed.seen() == {'m{job="a"}': 5}


async def test_a_broken_gzip_is_refused(pushed: Gateway) -> None:
    reply = await pushed.send("PUT", "job/a", b"m 1\n", **{"content-encoding": "gzip"})
    assert (reply.status_code, reply.json()["type"]) == (400, "bad_body")


async def test_deleting_what_is_not_there_is_no_error(pushed: Gateway) -> None:
    assert (await pushed.send("DELETE", "job/none")).status_code == 202
    assert (await pushed.send("DELETE", "job/a/x")).status_code == 400


async def test_timestamps_are_kept_and_such_samples_not_repeated(pushed: Gateway) -> None:
    reply = await pushed.send("PUT", "job/a", f"m 1 {START_MS - 60_000}\nm 2 5\nn 3\n")
    assert [reject["reason"] for reject in reply.json()["rejected"]] == ["too_old"]
    (series,) = (labels for labels in pushed.store.series(()) if labels.name == "m")
    await pushed.repeat()
    assert [(s.t_ms, s.value) for s in pushed.store.samples(series)] == [(START_MS - 60_000, 1)]
    await pushed.repeat(passed_ms=360_000)
    assert pushed.seen() == {'n{job="a"}': 3}
    await pushed.send("DELETE", "job/a")
    assert pushed.seen() == {}


async def test_series_above_the_limit_are_told_and_the_others_stay(pushed: Gateway) -> None:
    body = "".join(f'm{{i="{i}"}} {i}\n' for i in range(60))
    reply = await pushed.send("PUT", "job/a/service/s", body)
    assert (reply.status_code, reply.json()["type"]) == (429, "push_limited")
    assert "10 of 60 samples" in reply.json()["detail"]
    assert "MAX_SERIES_PER_SERVICE" in reply.json()["detail"]
    await pushed.repeat()
    assert len(pushed.seen()) == 50
    stats = (await pushed.harness.http.get("/stats")).json()
    assert stats["rejected_total"] == {"service_series_limit": 10}


async def test_a_group_of_which_nothing_is_stored_is_not_kept(pushed: Gateway) -> None:
    await pushed.put("job/a/service/s", "".join(f'm{{i="{i}"}} 1\n' for i in range(49)))
    reply = await pushed.send("PUT", "job/b/service/s", "m 1\n")
    assert reply.status_code == 429
    rows = await pushed.harness.collector.decisions.pushes._saved.load()
    assert [dict(grouping)["job"] for grouping in rows] == ["a"]


async def test_metadata_are_known_after_a_push(pushed: Gateway) -> None:
    body = "# TYPE t_seconds counter\n# UNIT t_seconds seconds\n# HELP t_seconds Long.\n"
    await pushed.send("PUT", "job/a/service/s", body + "t_seconds_total 1\n# EOF\n", OPENMETRICS)
    known = pushed.store.metadata("s", "t_seconds_total")
    assert (known.type, known.unit, known.help) == ("counter", "seconds", "Long.")


async def test_a_disk_that_fails_changes_no_group(
    pushed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pushed.put("job/a", "m 1\n")
    with monkeypatch.context() as broken:

        def full(batch: Batch) -> None:
            raise DiskFault("the disk is full; free some space")

        broken.setattr(pushed.store, "write", full)
        for method in ("PUT", "POST", "DELETE"):
            reply = await pushed.send(method, "job/a", "m 2\n")
            assert (reply.status_code, reply.json()["type"]) == (503, "disk_fault")
    await pushed.repeat()
    assert pushed.seen() == {'m{job="a"}': 1}


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/conformance/openmetrics")
async def test_the_cases_of_openmetrics_are_judged_over_http(pushed: Gateway) -> None:
    wrong = []
    for case in sorted(CASES.glob("*/test.json")):
        name, before = case.parent.name, pushed.store.series_count
        good = json.loads(case.read_text())["shouldParse"]
        body = (case.parent / "metrics").read_bytes()
        reply = await pushed.send("PUT", f"job/openmetrics_case/case/{name}", body, OPENMETRICS)
        if good:
            ok = reply.status_code == 200
            await pushed.send("DELETE", f"job/openmetrics_case/case/{name}")
        else:
            ok = (reply.status_code, pushed.store.series_count) == (400, before)
        if not ok:
            wrong.append((name, reply.status_code, reply.text))
        pushed.harness.clock.pass_ms(7_200_000)
        for _ in pushed.store.expire(pushed.harness.clock.now_ms()):
            pass
    assert wrong == []


async def test_exemplars_are_counted(pushed: Gateway) -> None:
    body = '# TYPE a counter\na_total 1 # {trace="x"} 1\n# EOF\n'
    assert (await pushed.send("PUT", "job/a", body, OPENMETRICS)).status_code == 200
    assert pushed.harness.collector.counters.total("exemplars") == 1


async def test_a_large_body_is_read_beside_the_loop(pushed: Gateway) -> None:
    body = "m 1\n" + "# nothing\n" * 10_000
    bad = await pushed.send("PUT", "job/a", body + "m x\n")
    assert "line 10002" in bad.json()["detail"]
    await pushed.put("job/a", body)
    assert pushed.seen() == {'m{job="a"}': 1}


async def test_a_token_of_a_service_reaches_groups_of_its_own_alone(pushed: Gateway) -> None:
    collector = pushed.harness.collector
    secret, _ = collector.guard.tokens.create(
        Role.INGEST,
        service="weather",
        now_ms=pushed.harness.clock.now_ms(),
        random=collector.random,
    )
    bearer = {"authorization": f"Bearer {secret}"}
    await pushed.put("job/a", "m 1\n")
    reply = await pushed.send("PUT", "job/a", 'm{service="other"} 2\n', **bearer)
    assert reply.status_code == 200
    assert pushed.seen() == {'m{job="a"}': 1, 'm{job="a",service="weather"}': 2}
    assert (await pushed.send("DELETE", "job/a", **bearer)).status_code == 202
    assert pushed.seen() == {'m{job="a"}': 1}


async def test_a_repeat_brings_no_old_value_back_while_a_new_one_is_pushed(
    pushed: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    await pushed.put("job/a", "m 1\n")
    await pushed.put("job/b", "m 1\n")
    pushes = pushed.harness.collector.decisions.pushes
    stored, may_save = asyncio.Event(), asyncio.Event()
    save = pushes._saved.save

    async def save_late(group: PushGroup) -> None:
        stored.set()
        await may_save.wait()
        await save(group)

    monkeypatch.setattr(pushes._saved, "save", save_late)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(pushed.put("job/a", "m 2\n"))
        await stored.wait()
        second = tasks.create_task(pushed.put("job/a", "m 3\n"))
        await pushed.repeat()
        assert pushed.seen() == {'m{job="a"}': 2, 'm{job="b"}': 1}
        assert not second.done()  # pushes of one group follow each other
        may_save.set()
    await pushed.repeat()
    assert pushed.seen() == {'m{job="a"}': 3, 'm{job="b"}': 1}


async def test_a_clock_set_back_holds_up_no_push(pushed: Gateway) -> None:
    await pushed.put("job/a", "m 1\n")
    pushed.harness.clock.pass_ms(-3_600_000)
    reply = await pushed.send("PUT", "job/a", "m 2\n")
    assert reply.json() == {"accepted": 1, "rejected": []}
