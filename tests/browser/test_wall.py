"""The wall against a backend on paper: what it shows, how it reacts, what it withstands."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect
from tests.browser.backend import Backend
from tests.browser.conftest import STATIC, Watched, keep
from tests.browser.fleet import HOSTILE, Fleet

AXE = Path(__file__).parents[2] / "dashboard/node_modules/axe-core/axe.min.js"
TILE = "[data-testid=tile]"


def tile(page: Page, service: str) -> Any:
    return page.locator(f'{TILE}[data-service="{service}"]')


def open_wall(page: Page, backend: Backend, query: str = "") -> None:
    page.goto(f"{backend.url}/{query}")
    expect(page.get_by_test_id("pill")).to_have_attribute("data-tone", "live")


def drawn(page: Page) -> None:
    """Wait until the chart holds points and the tiles in view their lines."""
    expect(page.get_by_test_id("chart")).not_to_have_attribute("data-points", "0")
    expect(page.locator(f"{TILE} .spark").first).to_be_visible()


def test_the_first_look(page: Page, backend: Backend) -> None:
    open_wall(page, backend)
    expect(page.locator(TILE)).to_have_count(22)
    assert page.locator(TILE).first.get_attribute("data-service") == "stt_service"
    expect(page.get_by_test_id("verdict")).to_contain_text("2 of 22 services need attention")
    expect(page.get_by_test_id("verdict")).to_contain_text("silent 94 s; usually every 30 s")
    for status, count in {"up": 18, "degraded": 1, "down": 1, "unknown": 1, "muted": 1}.items():
        expect(page.locator(f".chip-{status} b")).to_have_text(str(count))
    expect(page.get_by_test_id("figure-messages/s")).to_contain_text("18.4")
    expect(page.get_by_test_id("alert")).to_have_count(2)
    runs = page.get_by_test_id("run")
    expect(runs).to_have_count(3)
    expect(runs.first).to_contain_text("morning_briefing")
    expect(runs.first).to_contain_text(re.compile(r"1:[0-3]\d"))
    expect(tile(page, "stt_service")).to_contain_text("1 alert")
    expect(tile(page, "stt_service")).to_contain_text("3 restarts")
    expect(tile(page, "tts_service")).to_contain_text("next 1:")
    assert page.title() == "(2) Alicia"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_it_is_accessible_and_fits(page: Page, backend: Backend, width: int, scheme: Any) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in dashboard/")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    open_wall(page, backend)
    drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    keep(page, f"wall-{width}-{scheme}")
    assert serious_faults(page) == []
    page.locator(TILE).first.click()
    expect(page.get_by_test_id("detail")).to_contain_text("response_time_ms")
    keep(page, f"service-{width}-{scheme}")
    assert serious_faults(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_test_id("keysheet")).to_be_visible()
    assert serious_faults(page) == []


def serious_faults(page: Page) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{fault['id']}: {node['html'][:120]}"
        for fault in found["violations"]
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]


def test_a_change_arrives_without_reload(page: Page, backend: Backend) -> None:
    open_wall(page, backend)
    page.evaluate("window.sameDocument = true")
    backend.fleet.service("ha_bridge").update(status="down", reason="said good-bye")
    change = {**backend.fleet.service("ha_bridge")}
    del change["bars"]
    backend.send("service", change)
    expect(tile(page, "ha_bridge")).to_have_attribute("data-status", "down")
    expect(tile(page, "ha_bridge")).to_contain_text("said good-bye")
    expect(page.locator(".chip-down b")).to_have_text("2")
    assert page.locator(TILE).first.get_attribute("data-service") in ("ha_bridge", "stt_service")
    backend.send("alert", {**backend.fleet.alerts.pop(0), "state": "resolved"})
    expect(page.get_by_test_id("alert")).to_have_count(1)
    backend.send("stats", {**backend.fleet.stats(), "series": 9001})
    expect(page.get_by_test_id("figure-series")).to_contain_text("9001")
    expect(page.get_by_test_id("announcer")).to_contain_text("ha_bridge is down")
    assert page.evaluate("window.sameDocument")


def test_the_first_chart_is_of_a_service_in_trouble_that_speaks(
    page: Page, backend: Backend
) -> None:
    open_wall(page, backend)
    drawn(page)
    expect(page.get_by_role("combobox", name="Service")).to_have_value("ai_service")
    expect(page.get_by_role("combobox", name="Metric")).to_have_value("response_time_ms")
    expect(page.get_by_test_id("sparse")).to_have_count(0)
    backend.fleet.service("device_registry").update(status="degraded")
    backend.send("service", backend.fleet.service("device_registry"))
    expect(tile(page, "device_registry")).to_have_attribute("data-status", "degraded")
    expect(page.get_by_role("combobox", name="Service")).to_have_value("ai_service")
    page.reload()
    drawn(page)
    expect(page.get_by_role("combobox", name="Service")).to_have_value("device_registry")


def test_without_a_fleet_the_first_chart_is_of_the_host(page: Page, backend: Backend) -> None:
    backend.fleet.services = []
    backend.fleet.step = 60.0
    backend.fleet.held = 240.0
    open_wall(page, backend)
    expect(page.get_by_test_id("verdict")).to_contain_text("Waiting for the first service")
    expect(page.get_by_role("combobox", name="Service")).to_have_value("system")
    expect(page.get_by_role("combobox", name="Metric")).to_have_value("cpu_percent")
    expect(page.get_by_test_id("sparse")).to_have_text("one sample a minute")


def test_an_empty_window_names_the_nearest_sample(page: Page, backend: Backend) -> None:
    long_ago = backend.fleet.now - 40 * 86_400
    open_wall(page, backend, f"#/?cs=ha_bridge&cm=cpu_percent&zoom={long_ago}-{long_ago + 600}")
    card = page.get_by_test_id("chart-card")
    expect(card).to_contain_text("No sample in these 10 min; the nearest is of ")
    expect(card.get_by_role("button", name="Show table")).to_have_count(0)
    page.get_by_role("button", name="Resume live").click()
    drawn(page)


def test_a_page_that_waits_shows_no_numbers(page: Page, backend: Backend) -> None:
    backend.fleet.known = False
    held: list[Route] = []

    def answer(route: Route) -> None:
        if backend.fleet.known:
            route.fallback()
        else:
            held.append(route)

    page.route(re.compile(r"/(services|alerts|stats|scheduler/\w+)(\?|$)"), answer)
    open_wall(page, backend)
    expect(page.get_by_test_id("verdict")).to_contain_text("asking the collector")
    expect(page.get_by_label("Loading").first).to_be_visible()
    expect(page.locator(".chip-up b")).to_have_text("\u2013")
    backend.fleet.known = True
    for route in held:
        route.fallback()
    expect(page.locator(TILE)).to_have_count(22)


def test_a_failing_store_is_told_where_it_is_missed(
    page: Page, backend: Backend, watched: Watched
) -> None:
    watched.expected = "500 (Internal Server Error)"
    said = {"title": "Internal Server Error", "status": 500, "detail": "the store is busy"}
    page.route("**/metrics/**", lambda route: route.fulfill(status=500, json=said))
    open_wall(page, backend)
    expect(page.get_by_test_id("chart-card")).to_contain_text("Metrics: the store is busy")
    expect(page.locator(TILE)).to_have_count(22)
    page.unroute_all(behavior="ignoreErrors")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_test_id("chart")).not_to_have_attribute("data-points", "0")


def test_new_samples_extend_the_chart(page: Page, backend: Backend) -> None:
    open_wall(page, backend)
    drawn(page)
    chart = page.get_by_test_id("chart")
    held = int(chart.get_attribute("data-points") or 0)
    page.get_by_role("button", name="Show table").click()
    newest = page.get_by_test_id("twin").locator("tbody th").first
    before = newest.inner_text()
    backend.fleet.sampled += 14.5
    with page.expect_request(re.compile("/metrics/ai_service/response_time_ms")) as asked:
        backend.send("tick", {"t": backend.fleet.sampled})
    start = float(re.search(r"start=([\d.]+)", asked.value.url)[1])  # type: ignore[index]
    assert start >= backend.fleet.sampled - 60, "only the tail is fetched"
    expect(newest).not_to_have_text(before)
    page.get_by_role("button", name="Show chart").click()
    # The oldest sample leaves the hour that is held, as the newest comes.
    assert int(chart.get_attribute("data-points") or 0) in (held, held + 1)


def test_hostile_words_are_words(page: Page, backend: Backend) -> None:
    backend.fleet.turn_hostile()
    open_wall(page, backend)
    shown = set(page.locator(TILE).evaluate_all("all => all.map(e => e.dataset.service)"))
    assert set(HOSTILE) <= shown
    word = HOSTILE[1]
    page.evaluate("w => { location.hash = '#/?' + new URLSearchParams({service: w, cs: w}) }", word)
    expect(page.get_by_test_id("detail")).to_contain_text(f"{word} is")
    expect(page.locator(".metrics")).to_contain_text(word)
    keep(page, "hostile-service")
    page.keyboard.press("Escape")
    drawn(page)
    keep(page, "hostile-wall")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440
    assert page.locator("#app script, #app img, #app [onload], #app [onerror]").count() == 0


def test_the_state_is_in_the_address(page: Page, backend: Backend) -> None:
    open_wall(page, backend)
    page.get_by_role("button", name="down", exact=False).first.click()
    expect(page.locator(TILE)).to_have_count(1)
    page.keyboard.press("/")
    page.keyboard.type("nothing like this")
    expect(page.get_by_test_id("groups")).to_contain_text("No service matches")
    page.keyboard.press("Escape")
    expect(page.locator(TILE)).to_have_count(1)
    assert page.url.endswith("#/?status=down")
    page.reload()
    expect(page.locator(TILE)).to_have_count(1)
    page.get_by_title("Time zone of all times on this page").click()
    assert page.url.endswith("#/?status=down&tz=utc")
    expect(page.get_by_title("Time zone of all times on this page")).to_have_text("UTC")


def test_the_keyboard_is_enough(page: Page, backend: Backend) -> None:
    open_wall(page, backend)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(tile(page, "stt_service")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("detail")).to_be_visible()
    assert "service=stt_service" in page.url
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("detail")).to_be_hidden()
    expect(tile(page, "stt_service")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_test_id("keysheet")).to_contain_text("Find a service")


def test_any_metric_is_two_picks_away(page: Page, backend: Backend) -> None:
    open_wall(page, backend)
    drawn(page)
    page.get_by_role("combobox", name="Service").fill("sonos")
    expect(page.get_by_role("option")).to_have_text("sonos_service")
    page.keyboard.press("Enter")
    page.get_by_role("combobox", name="Metric").fill("requests")
    expect(page.get_by_role("option")).to_have_text("requests_total")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("cm=requests_total"))
    expect(page.get_by_test_id("chart-card")).to_contain_text("counter, per second")
    page.get_by_role("button", name="Show table").click()
    expect(page.get_by_test_id("twin").locator("tbody tr").first).to_contain_text("2026-")


def test_a_zoom_is_a_step_in_the_history(page: Page, backend: Backend) -> None:
    open_wall(page, backend)
    drawn(page)
    box = page.locator(".u-over").bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 100, y)
    page.mouse.down()
    page.mouse.move(box["x"] + 300, y, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="Resume live")).to_be_visible()
    assert re.search(r"zoom=[\d.]+-[\d.]+", page.url)
    page.go_back()
    expect(page.get_by_role("button", name="Resume live")).to_be_hidden()


def test_tabs_share_one_stream(context: BrowserContext, backend: Backend) -> None:
    tabs = [context.new_page() for _ in range(3)]
    for each in tabs:
        open_wall(each, backend)
    backend.send("stats", {**backend.fleet.stats(), "series": 4321})
    for each in tabs:
        expect(each.get_by_test_id("figure-series")).to_contain_text("4321")
    assert backend.streams == 1


def test_a_lost_collector_dims_nothing_away(
    page: Page, fleet: Fleet, tmp_path: Path, watched: Watched
) -> None:
    watched.expected = "net::ERR_"  # the browser itself reports lost connections
    with Backend(fleet, STATIC, tmp_path) as first:
        open_wall(page, first)
        port = first.port
    pill = page.get_by_test_id("pill")
    expect(pill).to_have_attribute("data-tone", "trying")
    expect(page.locator(TILE)).to_have_count(22)
    expect(page.get_by_test_id("stale")).to_have_count(0)
    expect(page.get_by_test_id("stale")).to_contain_text("all this is as of", timeout=25_000)
    expect(page.get_by_test_id("groups")).to_have_css("opacity", "0.55")
    fleet.service("stt_service").update(status="up", reason="answers")
    with Backend(fleet, STATIC, tmp_path, port) as second:
        expect(pill).to_have_attribute("data-tone", "live", timeout=35_000)
        expect(page.get_by_test_id("stale")).to_have_count(0)
        second.send("reset", {})
        expect(tile(page, "stt_service")).to_have_attribute("data-status", "up")
        page.goto("about:blank")


def test_without_a_scheduler_the_rest_goes_on(
    page: Page, backend: Backend, watched: Watched
) -> None:
    backend.fleet.scheduler_up = False
    watched.expected = "502 (Bad Gateway)"
    open_wall(page, backend)
    expect(page.get_by_test_id("runs")).to_contain_text("alicia scheduler")
    expect(page.locator(TILE)).to_have_count(22)


def test_without_a_bus_it_says_so(page: Page, backend: Backend) -> None:
    backend.fleet.bus.update(connected=False)
    open_wall(page, backend)
    expect(page.get_by_test_id("notice")).to_contain_text("no bus at 127.0.0.1:1883")
    expect(page.get_by_test_id("notice")).to_contain_text("alicia doctor")


def test_the_state_is_readable_without_javascript(browser: Browser, backend: Backend) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(backend.url)
        expect(page.locator("h1")).to_have_text("18 of 22 services are up")
        expect(page.locator(".tile")).to_have_count(22)
        expect(page.locator(".tile").first).to_contain_text("silent 94 s; usually every 30 s")
        keep(page, "wall-without-javascript")


def test_five_hundred_services_stay_light(page: Page, backend: Backend) -> None:
    template = backend.fleet.service("ha_bridge")
    backend.fleet.services += [{**template, "service_name": f"sim_{n}"} for n in range(478)]
    open_wall(page, backend)
    expect(page.locator(TILE)).to_have_count(500)
    drawn(page)
    assert page.evaluate("document.querySelectorAll('*').length") < 6000


def test_an_idle_page_asks_for_nothing(page: Page, backend: Backend) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_wall(page, backend)
    drawn(page)
    tiles_in_view = page.locator(f"{TILE} .bars").count()
    expect(page.locator(f"{TILE} .spark")).to_have_count(tiles_in_view)
    assets = [url for url in asked if "/assets/" in url]
    assert len(assets) <= 8
    rest = len(asked) - len(assets)
    # The page, /live, five lists twice (the stream's first word is "reset"), the chart: its
    # metrics and its samples; two for each tile in view.
    assert rest <= 2 + 10 + 3 + 2 * tiles_in_view, asked
    for series in range(3):
        backend.send("stats", {**backend.fleet.stats(), "series": series})
        expect(page.get_by_test_id("figure-series")).to_have_text(f"series{series}")
    assert len(asked) - len(assets) - rest <= 1, "the events are looked up, and nothing else"


def test_a_missing_bundle_says_how_to_build_it(page: Page, fleet: Fleet, tmp_path: Path) -> None:
    with Backend(fleet, tmp_path / "nowhere", tmp_path) as backend:
        page.goto(backend.url)
        expect(page.locator("pre")).to_have_text("npm ci && npm run build")
        expect(page.get_by_role("link", name="/docs")).to_be_visible()
        page.goto("about:blank")
