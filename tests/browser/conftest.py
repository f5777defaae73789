"""Chromium for the tests of the page: one origin, nothing unsaid, pictures kept."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, sync_playwright
from tests.browser.backend import Backend
from tests.browser.fleet import Fleet

from alicia.collector.api import dashboard

CHROMIUM = Path("/usr/bin/chromium")
ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
STATIC = Path(dashboard.__file__).parents[1] / "static"
ARTEFACTS = Path(__file__).parents[2] / "test-artefacts"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = ""
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is not installed"
    elif not (STATIC / "manifest.json").exists():
        reason = "the dashboard is not built: npm ci && npm run build in dashboard/"
    for item in items:
        if "tests/browser" not in str(item.path):
            continue
        item.add_marker(pytest.mark.browser)
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@dataclass
class Watched:
    """What a page said that it should not have; ``expected`` marks what a test provokes."""

    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    expected: str | None = None

    def unexpected(self) -> list[str]:
        return [f for f in self.faults if self.expected is None or self.expected not in f]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser per file: its driver occupies the event loop that asynchronous tests need."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield found
        found.close()


@pytest.fixture
def fleet() -> Fleet:
    return Fleet(time.time())


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def context(browser: Browser, watched: Watched) -> Iterator[BrowserContext]:
    """A browser profile of its own that reaches loopback only, and reports every fault."""
    made = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin")

    def only_loopback(route: Route) -> None:
        if route.request.url.startswith("http://127.0.0.1:"):
            route.fallback()
        else:
            watched.foreign.append(route.request.url)
            route.abort()

    made.route("**/*", only_loopback)
    made.on(
        "console",
        lambda said: (
            watched.faults.append(f"{said.type}: {said.text} {said.location}")
            if said.type in ("error", "warning")
            else None
        ),
    )
    made.on("weberror", lambda error: watched.faults.append(str(error.error)))
    made.on("dialog", lambda dialog: (watched.faults.append(dialog.message), dialog.dismiss()))
    made.add_init_script(
        "addEventListener('securitypolicyviolation',"
        " e => console.error('CSP', e.violatedDirective, e.blockedURI))"
    )
    yield made
    made.close()
    assert watched.unexpected() == []
    assert watched.foreign == []


@pytest.fixture
def backend(fleet: Fleet, context: BrowserContext, tmp_path: Path) -> Iterator[Backend]:
    with Backend(fleet, STATIC, tmp_path) as running:
        yield running
        context.close()  # before its server goes: a lost server is a fault to report


@pytest.fixture
def page(context: BrowserContext) -> Page:
    made = context.new_page()
    made.set_default_timeout(10_000)
    return made


def keep(page: Page, name: str, *, full: bool = False) -> None:
    """Keep a picture of the page as an artefact of the test run."""
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=full)
