"""A shop at work, its dashboard as a process of its own, and Chromium looking at it.

Where there is no Chromium, or no axe in ``node_modules``, these tests skip and say so.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect, sync_playwright

from taskito import Queue
from tests.browser.visitor import Visitor
from tests.dashboard.asking import HOSTILE
from tests.support.processes import STARTING, Site, open_site
from tests.support.until import until

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "packages" / "taskito-dashboard" / "node_modules" / "axe-core" / "axe.min.js"
SHOP = ("--app", "tests.browser.shop:queue")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Machines that run tests are busy.
expect.set_options(timeout=20_000)


HERE = Path(__file__).parent


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a browser on a busy machine more time than other tests have; what looks back is last."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(240))
    items.sort(key=lambda item: item.name == "test_every_button_was_pressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What is looked at.

    Attributes:
        address: Of the dashboard, without a slash at the end.
        site: The database and the processes.
        queue: The queue, as this process sees it.
        jobs: One job of each kind, by what it is.
    """

    address: str
    site: Site
    queue: Queue
    jobs: dict[str, str]


def served(site: Site, *options: str) -> str:
    """Start a dashboard and return its address."""
    program = site.taskito("dashboard", "--port", "0", *options)

    def address() -> str:
        assert program.is_running(), program.report()
        found = re.search(r"http://[\d.]+:\d+", program.out)
        assert found, program.report()
        return found[0]

    return until(address, within=4 * STARTING)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop with jobs in all states, a worker at work, and its dashboard."""
    with open_site(tmp_path_factory.mktemp("shop"), is_quiet=True) as site:
        seeding = site.run("-m", "tests.browser.seed")
        assert seeding.wait(4 * STARTING) == 0, seeding.report()
        site.taskito("worker", *SHOP, "--workers", "6")

        def settled() -> bool:
            stats = site.queue.stats()
            due = site.queue.count_jobs("running", task_name="sync_crm")
            return stats["completed"] >= 80 and stats["dead"] >= 6 and due == 2

        until(settled, within=4 * STARTING)
        of = site.queue.list_jobs
        jobs = {
            "complete": of("complete", task_name="send_email", limit=1)[0].id,
            "running": of("running", task_name="sync_crm", limit=1)[0].id,
            "pending": of("pending", task_name="build_report", limit=1)[0].id,
            "dead": of("dead", task_name="send_email", limit=1)[0].id,
            "retrying": of("pending", task_name="resize_image", limit=1)[0].id,
            "scheduled": site.queue.enqueue(
                "send_email",
                (7,),
                {"template": "a", "to": {"name": "ana", "tags": ["eu", "new"], "token": "t"}},
                delay=86_400,
                metadata={"order": 7, "tags": ["eu"]},
            ).id,
            "hostile": of("dead", task_name=HOSTILE, limit=1)[0].id,
        }
        yield Shop(address=served(site, *SHOP), site=site, queue=site.queue, jobs=jobs)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


def opened(playwright: Playwright, folder: Path, *, scripts: bool) -> BrowserContext:
    """Start Chromium with an empty profile; skip the test where there is none."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("no chromium on PATH: apt-get install chromium")
    if not AXE.is_file():
        pytest.skip("no axe-core: npm ci in packages/taskito-dashboard")
    return playwright.chromium.launch_persistent_context(
        folder,
        executable_path=program,
        args=OPTIONS,
        java_script_enabled=scripts,
        timezone_id="Europe/Berlin",
        locale="en-GB",
    )


@pytest.fixture(scope="session")
def browser(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    context = opened(playwright, tmp_path_factory.mktemp("profile"), scripts=True)
    yield context
    context.close()


@pytest.fixture(scope="session")
def plain_browser(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser that runs no scripts."""
    context = opened(playwright, tmp_path_factory.mktemp("plain"), scripts=False)
    yield context
    context.close()


@pytest.fixture
def visitor(browser: BrowserContext, shop: Shop) -> Iterator[Visitor]:
    """Somebody in a tab of their own; at the end nothing may have been refused or logged."""
    browser.clear_cookies()
    someone = Visitor(browser.new_page(), shop.address)
    yield someone
    someone.leave()


@pytest.fixture
def plain_visitor(plain_browser: BrowserContext, shop: Shop) -> Iterator[Visitor]:
    plain_browser.clear_cookies()
    someone = Visitor(plain_browser.new_page(), shop.address)
    yield someone
    someone.leave()
