"""The collector's metric calls over HTTP, as contract.md §3 fixes them."""

import shutil
import subprocess

import pytest
from tests.service.collector.collector_harness import Harness
from tests.support.stepped_clock import START_MS

NOW = START_MS / 1000


async def post(harness: Harness, body: object) -> dict[str, object]:
    reply = await harness.http.post("/metrics", json=body)
    assert reply.status_code == 200, reply.text
    result: dict[str, object] = reply.json()
    return result


async def test_what_is_posted_is_read_back(harness: Harness) -> None:
    body = {
        "service_name": "web",
        "instance_id": "w1",
        "metrics": [
            {"name": "temp", "value": 21.5, "labels": {"room": "hall"}, "unit": "celsius"},
            {"name": "hits_total", "value": 3, "metric_type": "counter"},
        ],
    }
    assert await post(harness, body) == {"accepted": 2, "rejected": []}
    rows = (await harness.http.get("/metrics")).json()["metrics"]
    assert rows == [
        {
            "name": "temp",
            "value": 21.5,
            "timestamp": NOW,
            "labels": {"room": "hall"},
            "metric_type": "gauge",
            "service_name": "web",
            "instance_id": "w1",
            "unit": "celsius",
        },
        {
            "name": "hits_total",
            "value": 3.0,
            "timestamp": NOW,
            "labels": {},
            "metric_type": "counter",
            "service_name": "web",
            "instance_id": "w1",
        },
    ]
    service = (await harness.http.get("/metrics/web")).json()
    assert service == {
        "service_name": "web",
        "instances": {
            "w1": {"metrics": rows, "last_updated": NOW, "health_status": "unknown"},
        },
    }


async def test_a_message_on_the_bus_is_in_the_answer_at_once(harness: Harness) -> None:
    harness.tell(
        "alicia/metrics/collect",
        b'{"service_name":"stt","metrics":[{"name":"latency_ms","value":42}]}',
    )
    service = (await harness.http.get("/metrics/stt")).json()
    assert service["instances"]["stt"]["metrics"][0]["value"] == 42.0


async def test_the_fleet_is_found_under_any_spelling(harness: Harness) -> None:
    await post(harness, {"service_name": "STT-Service", "metrics": [{"name": "x", "value": 1}]})
    for name in ("stt_service", "alicia-stt-service"):
        assert (await harness.http.get(f"/metrics/{name}")).json()["service_name"] == "stt_service"


async def test_history_is_newest_first_and_bounded(harness: Harness) -> None:
    metrics = [{"name": "x", "value": i, "timestamp": NOW - 60 * i} for i in range(5)]
    await post(harness, {"service_name": "a", "metrics": metrics})

    async def history(**params: object) -> list[float]:
        reply = await harness.http.get("/metrics/a/x", params=params)  # type: ignore[arg-type]
        assert reply.status_code == 200
        return [row["value"] for row in reply.json()["samples"]]

    assert await history() == [0, 1, 2, 3, 4]
    assert await history(start=NOW - 180, end=NOW - 60) == [1, 2, 3]
    assert await history(limit=2) == [0, 1]
    assert await history(instance_id="a") == [0, 1, 2, 3, 4]
    assert await history(instance_id="b") == []
    first = (await harness.http.get("/metrics/a/x", params={"limit": 3})).json()
    assert await history(limit=3, cursor=first["next_cursor"]) == [3, 4]


async def test_a_histogram_is_found_under_its_own_name(harness: Harness) -> None:
    value = {"count": 2, "sum": 3, "buckets": {"1": 1}}
    await post(harness, {"name": "h", "value": value, "service_name": "a"})
    rows = (await harness.http.get("/metrics/a/h")).json()["samples"]
    assert {row["name"] for row in rows} == {"h_bucket", "h_sum", "h_count"}
    assert {row["metric_type"] for row in rows} == {"histogram"}


async def test_pages_follow_each_other(harness: Harness) -> None:
    await post(harness, [{"name": f"m{i}", "value": i} for i in range(25)])
    seen, cursor = [], None
    while True:
        params = {"limit": "10", **({"cursor": cursor} if cursor else {})}
        page = (await harness.http.get("/metrics", params=params)).json()
        seen += [row["name"] for row in page["metrics"]]
        cursor = page.get("next_cursor")
        if cursor is None:
            break
    assert seen == [f"m{i}" for i in range(25)]


@pytest.mark.parametrize("path", ["/metrics/none", "/metrics/a/none", "/stats/none"])
async def test_what_is_unknown_is_404(harness: Harness, path: str) -> None:
    await post(harness, {"name": "x", "value": 1, "service_name": "a"})
    reply = await harness.http.get(path)
    assert reply.status_code == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert "none" in reply.json()["detail"]


async def test_a_service_without_metrics_is_known_by_its_health(harness: Harness) -> None:
    harness.tell("alicia/system/health/quiet", b'{"service_name": "quiet", "status": "healthy"}')
    reply = await harness.http.get("/metrics/quiet")
    assert reply.json() == {"service_name": "quiet", "instances": {}}


async def test_a_bad_metric_is_listed_and_its_neighbours_stay(harness: Harness) -> None:
    body = [{"name": "a", "value": 1}, {"name": "b", "value": "NaN"}, {"name": "c", "value": 3}]
    reply = await post(harness, body)
    assert reply["accepted"] == 2
    (reject,) = reply["rejected"]  # type: ignore[misc]
    assert (reject["index"], reject["reason"]) == (1, "bad_value")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "no_metrics"),
        ({"metrics": []}, "no_metrics"),
        ({"metrics": 3}, "bad_body"),
        ({"cpu": 3}, "bad_body"),
        (3, "bad_body"),
        ({"name": "x"}, "bad_value"),
        ({"name": "", "value": 1}, "bad_name"),
        ({"name": "x" * 300, "value": 1}, "bad_name"),
        ({"name": "x", "value": 1, "labels": {str(i): "a" for i in range(65)}}, "too_many_labels"),
        ({"name": "x", "value": 1, "labels": {"a": "v" * 5000}}, "label_too_long"),
        ({"name": "x", "value": 1, "metric_type": "timer"}, "bad_type"),
        ({"name": "x", "value": 1, "timestamp": "yesterday"}, "bad_time"),
        ({"name": "x", "value": 1, "timestamp": NOW + 3600}, "too_far_ahead"),
        ({"name": "x", "value": 1, "timestamp": NOW - 7200}, "too_old"),
        ({"name": "x", "value": 1, "timestamp": 1.0}, "too_old"),
        ({"name": "x", "value": {"count": 1, "buckets": {"1": 5}}}, "bad_histogram"),
        ({"name": "x", "value": 1, "service_name": "a/b"}, "bad_name"),
    ],
)
async def test_where_nothing_is_stored_the_answer_is_422(
    harness: Harness, body: object, code: str
) -> None:
    reply = await harness.http.post("/metrics", json=body)
    assert reply.status_code == 422
    problem = reply.json()
    assert (problem["type"], problem["accepted"]) == (code, 0)
    assert problem["detail"]
    assert harness.collector.store.series_count == 0


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "bad_body"),
        (b"null", 422, "bad_body"),
        (b"{", 400, "bad_json"),
        (b"\xff\xfe", 400, "bad_utf8"),
        (b"[" * 100, 400, "too_deep"),
        (b'{"name":"x","value":NaN}', 422, "bad_value"),
        (b'{"value":1}', 422, "bad_name"),
        (b'{"name":"x","value":1} trailing', 400, "bad_json"),
        (b"\x00\x01\x02", 400, "bad_json"),
    ],
)
async def test_what_is_no_json_is_refused(
    harness: Harness, content: bytes, status: int, code: str
) -> None:
    reply = await harness.http.post(
        "/metrics", content=content, headers={"content-type": "application/json"}
    )
    assert (reply.status_code, reply.json()["type"]) == (status, code)
    assert reply.headers["content-type"] == "application/problem+json"
    assert harness.collector.store.series_count == 0


async def test_a_repeat_is_a_success_and_a_contradiction_is_not(harness: Harness) -> None:
    metric = {"name": "x", "value": 1, "timestamp": NOW}
    await post(harness, metric)
    assert (await post(harness, metric))["accepted"] == 1
    reply = await harness.http.post("/metrics", json={**metric, "value": 2})
    assert reply.json()["type"] == "duplicate_timestamp"


async def test_one_service_cannot_fill_the_store(harness: Harness) -> None:
    metrics = [{"name": "x", "value": 1, "labels": {"user": str(i)}} for i in range(1600)]
    reply = await post(harness, {"service_name": "noisy", "metrics": metrics})
    assert reply["accepted"] == 1500
    await post(harness, {"service_name": "quiet", "metrics": [{"name": "x", "value": 1}]})
    stats = (await harness.http.get("/stats")).json()
    (culprit,) = stats["cardinality"]["culprits"]
    assert (culprit["service"], culprit["label"]) == ("noisy", "user")
    assert stats["rejected_total"] == {"service_series_limit": 100}
    assert len((await harness.http.get("/api/v1/rejects")).json()["rejects"]) == 50


async def test_health_without_a_broker_is_degraded(harness: Harness) -> None:
    reply = await harness.http.get("/health")
    assert reply.status_code == 200
    body = reply.json()
    assert (body["service_name"], body["status"]) == ("metrics_collector", "degraded")
    assert (body["mqtt_connected"], body["timestamp"]) == (False, NOW)
    assert set(body) == {
        "service_name", "status", "uptime", "version", "mqtt_connected", "messages_processed",
        "errors", "timestamp", "checks",
    }  # fmt: skip


async def test_build_info_speaks_for_prometheus(harness: Harness) -> None:
    body = (await harness.http.get("/api/v1/status/buildinfo")).json()
    assert (body["status"], body["data"]["version"]) == ("success", "3.14.0")


async def test_statistics_of_a_service(harness: Harness) -> None:
    metrics = [
        {"name": name, "value": value(i), "timestamp": NOW - 60 * i, "metric_type": kind}
        for i in range(30)
        for name, kind, value in (
            ("latency_ms", "gauge", lambda i: 100 - i),
            ("requests_total", "counter", lambda i: 6000 - 60 * i),
            ("errors_total", "counter", lambda i: 300 - 3 * i),
        )
    ]
    await post(harness, {"service_name": "web", "metrics": metrics})
    body = (await harness.http.get("/stats/web", params={"window": "1h"})).json()
    latency = body["metrics"]["latency_ms"]
    assert (latency["count"], latency["min"], latency["max"], latency["last"]) == (30, 71, 100, 100)
    assert latency["trend"]["direction"] == "rising"
    assert latency["trend"]["slope_per_hour"] == pytest.approx(60)
    assert len(latency["trend"]["forecast"]) == 10
    assert body["metrics"]["requests_total"]["rate"] == pytest.approx(1.0)
    assert body["request_rate"] == pytest.approx(1.0)
    assert body["error_rate"] == pytest.approx(0.05)
    assert body["latency"]["p50"] == pytest.approx(85.5)


async def test_counts_of_a_summary_have_a_rate(harness: Harness) -> None:
    for count in (10, 40):
        harness.clock.pass_ms(30_000)
        value = {"count": count, "sum": count / 10, "quantiles": {"0.5": 0.1}}
        await post(harness, {"name": "wait", "value": value, "service_name": "web"})
    metrics = (await harness.http.get("/stats/web")).json()["metrics"]
    assert metrics["wait_count"]["rate"] == pytest.approx(1)
    assert metrics["wait_sum"]["rate"] == pytest.approx(0.1)
    assert "rate" not in metrics["wait"]


async def test_a_service_without_metrics_has_statistics_without_metrics(harness: Harness) -> None:
    harness.tell("alicia/system/health/quiet", b'{"service_name":"quiet","status":"healthy"}')
    reply = await harness.http.get("/stats/quiet")
    assert (reply.status_code, reply.json()["metrics"], reply.json()["restarts"]) == (200, {}, 0)
    assert (await harness.http.get("/stats/nobody")).status_code == 404


@pytest.mark.parametrize("window", ["x", "0", "-1h"])
async def test_a_bad_window_is_refused(harness: Harness, window: str) -> None:
    reply = await harness.http.get("/stats/web", params={"window": window})
    assert reply.status_code == 422


async def test_series_end_after_retention(harness: Harness) -> None:
    await post(harness, {"name": "x", "value": 1, "service_name": "a"})
    harness.clock.pass_ms(3_600_001)
    await harness.collector.stats.tick()
    assert (await harness.http.get("/metrics/a")).status_code == 404


async def test_text_is_compressed_for_who_takes_that(harness: Harness) -> None:
    await post(harness, [{"name": f"m{i}", "value": i} for i in range(600)])
    query = {"format": "prometheus"}
    plain = await harness.http.get("/metrics", params=query, headers={"accept-encoding": ""})
    packed = await harness.http.get("/metrics", params=query, headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept, Accept-Encoding"
    assert int(packed.headers["content-length"]) < len(plain.content) / 5
    assert packed.text == plain.text
    assert plain.text.count("# TYPE") == 600


async def test_a_window_the_wrong_way_round_is_refused(harness: Harness) -> None:
    await post(harness, {"service_name": "a", "metrics": [{"name": "x", "value": 1}]})
    reply = await harness.http.get("/metrics/a/x", params={"start": NOW, "end": NOW - 1})
    assert (reply.status_code, reply.json()["type"]) == (422, "reversed_range")


async def test_methods_that_a_path_takes_are_named(harness: Harness) -> None:
    reply = await harness.http.request("OPTIONS", "/metrics")
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, POST")
    reply = await harness.http.put("/api/v1/query")
    assert (reply.status_code, reply.json()["errorType"]) == (405, "bad_data")


async def test_text_shows_live_series_only(harness: Harness) -> None:
    await post(harness, {"name": "old", "value": 1})
    harness.clock.pass_ms(300_001)
    await post(harness, {"name": "new", "value": 2})
    text = (await harness.http.get("/metrics", params={"format": "prometheus"})).text
    assert "new{" in text
    assert "old" not in text
    names = [row["name"] for row in (await harness.http.get("/metrics")).json()["metrics"]]
    assert names == ["old", "new"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (apt: prometheus)")
async def test_promtool_accepts_our_own_metrics(harness: Harness) -> None:
    await harness.collector.system.collect()
    value = {"count": 2, "sum": 3, "buckets": {"1": 1}}
    await post(harness, {"name": "took_seconds", "value": value, "service_name": "a"})
    reply = await harness.http.get("/metrics", headers={"accept": "text/plain"})
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    done = subprocess.run(  # noqa: ASYNC221 - a test may wait for its program
        ["promtool", "check", "metrics"], input=reply.content, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")
    for name in ("cpu_percent", "memory_percent", "disk_percent", "process_open_fds"):
        assert f"# TYPE {name} gauge" in reply.text
