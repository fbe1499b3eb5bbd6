"""Every page, as browsers show it: in both themes, on a desk and on a phone."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, expect

from taskito import Queue, chord
from taskito._groups import Groups
from taskito.bulk import Bulk
from taskito.filters import Filter
from tests.browser.conftest import SHOP, Shop, served
from tests.browser.visitor import DESK, PHONE, Scheme, Visitor
from tests.dashboard.asking import HOSTILE
from tests.support.processes import STARTING
from tests.support.until import until

NAME = quote(HOSTILE, safe="")
PAGES = {
    "overview": "/",
    "jobs": "/jobs",
    "jobs-dead": "/jobs?status=dead",
    "jobs-none": "/jobs?task=nothing",
    "job-dead": "/jobs/{dead}",
    "job-running": "/jobs/{running}",
    "job-complete": "/jobs/{complete}",
    "job-scheduled": "/jobs/{scheduled}",
    "job-pending": "/jobs/{pending}",
    "job-retrying": "/jobs/{retrying}",
    "job-hostile": "/jobs/{hostile}",
    "failures": "/failures",
    "tasks": "/tasks",
    "task": "/tasks/send_email",
    "task-hostile": f"/tasks/{NAME}",
    "enqueue": "/tasks/resize_image/enqueue",
    "enqueue-edited": "/tasks/send_email/enqueue?job={dead}",
    "queues": "/queues",
    "queue": "/queues/emails",
    "queue-hostile": f"/queues/{NAME}",
    "schedules": "/schedules",
    "workers": "/workers",
    "system": "/system",
}
LOOKS: list[tuple[Scheme, str, tuple[int, int]]] = [
    ("light", "desk", DESK),
    ("dark", "desk", DESK),
    ("light", "phone", PHONE),
    ("dark", "phone", PHONE),
]


def check(visitor: Visitor, name: str) -> None:
    """Look at what is open in all ways; it must be accessible and fit in each."""
    wrong: list[str] = []
    for scheme, place, size in LOOKS:
        visitor.look_as(scheme, size)
        visitor.picture(f"{name}-{place}-{scheme}")
        found = [*visitor.violations(), *visitor.outside()]
        wrong += [f"{place}, {scheme}: {each}" for each in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_and_fits(visitor: Visitor, shop: Shop, name: str) -> None:
    visitor.look_as("light", DESK)
    visitor.go(PAGES[name].format_map(shop.jobs) if "{" in PAGES[name] else PAGES[name])
    expect(visitor.page.locator("h1")).to_be_visible()

    check(visitor, name)


@pytest.mark.parametrize("name", ["workflows", "workflow", "group", "operation-new"])
def test_what_belongs_together_is_accessible_and_fits(
    visitor: Visitor, shop: Shop, name: str
) -> None:
    add: Any = shop.queue.task(name="add")(max)
    total: Any = shop.queue.task(name="total")(sum)
    chord([add.s(1, 2), add.s(3, 4)], total.s()).apply(shop.queue)
    fingerprint = next(group.fingerprint for group in Groups(shop.queue._database).all())
    places = {
        "workflows": "/workflows",
        "workflow": "/workflows",
        "group": f"/failures/{fingerprint}",
        "operation-new": "/operations/new?verb=retry&filter=state:dead",
    }
    visitor.look_as("light", DESK)
    visitor.go(places[name])
    if name == "workflow":
        visitor.page.locator("main td a.call").first.click()
        expect(visitor.page.locator("svg.graph")).to_be_visible()
    expect(visitor.page.locator("h1")).to_be_visible()

    check(visitor, name)


@pytest.mark.parametrize("stand", ["waiting", "running", "stopped", "done"])
def test_an_operation_is_accessible_and_fits(visitor: Visitor, shop: Shop, stand: str) -> None:
    bulk, task = Bulk(shop.queue), f"operation_{stand}"
    shop.queue.enqueue_many(task, [(n,) for n in range(4)], queue="nobody")
    bulk.finish(bulk.begin("cancel", Filter.parse(f"task:{task}"), who="ana").id)
    which = Filter.parse(f"task:{task} state:cancelled")
    canary, rate = {"waiting": (1, 20), "stopped": (2, 20), "running": (None, 1)}.get(
        stand, (None, None)
    )
    if stand == "running":
        shop.queue.enqueue_many(task, [()] * 300, queue="nobody", delay=3600)
        operation = bulk.begin("cancel", Filter.parse(f"task:{task}"), who="ana", rate=rate)
    else:
        operation = bulk.begin("retry", which, who="ana", rate=rate, canary=canary)

    def stands() -> bool:
        known = bulk.get(operation.id)
        assert known is not None
        bulk.drive()
        if stand == "stopped" and known.waits_until:
            [_, (_, copy)] = bulk.touched(operation.id)
            shop.queue.cancel_job(str(copy))
        is_waiting = known.waits_until is not None
        return (is_waiting, known.state) == (
            stand == "waiting",
            {"waiting": "running"}.get(stand, stand),
        )

    until(stands, within=4 * STARTING)
    visitor.look_as("light", DESK)
    visitor.go(f"/operations/{operation.id}")
    expect(visitor.page.locator("h1")).to_contain_text(
        {"waiting": "waits for its canary"}.get(stand, stand.capitalize())
    )

    check(visitor, f"operation-{stand}")
    bulk.stop(operation.id, who="ana")


def test_what_would_take_too_long_has_a_page(browser: BrowserContext, shop: Shop) -> None:
    with Queue(shop.site.home / "broad.db") as queue:
        queue.enqueue_many("add", [(1, 2)] * 20_000)
    address = served(shop.site, "--app", "tests.browser.hasty:queue")
    someone = Visitor(browser.new_page(), address)
    someone.go("/jobs?filter=error:SMTP+task:add", status=400)
    someone.complaints.clear()  # the browser notes the status
    expect(someone.page.locator("h1")).to_have_text("Too broad")

    check(someone, "broad")
    someone.complaints.clear()
    someone.leave()


def test_an_empty_database_has_first_steps(
    browser: BrowserContext, shop: Shop, tmp_path: Path
) -> None:
    with Queue(tmp_path / "empty.db") as queue:
        queue.stats()
    someone = Visitor(browser.new_page(), served(shop.site, "--db", str(tmp_path / "empty.db")))
    someone.go("/")
    expect(someone.page.locator("h1")).to_have_text("First steps")

    check(someone, "first")
    someone.leave()


def test_a_token_is_asked_for_on_a_page(browser: BrowserContext, shop: Shop) -> None:
    someone = Visitor(browser.new_page(), served(shop.site, *SHOP, "--token", "open sesame"))
    someone.go("/", status=401)
    someone.complaints.clear()  # the browser notes the status
    check(someone, "login")
    someone.page.get_by_label("Token").fill("open sesame")
    someone.page.get_by_role("button", name="Log in").click()
    expect(someone.page.locator("h1")).to_have_text("Overview")

    check(someone, "overview-logged-in")
    someone.page.get_by_role("button", name="Log out").click()
    expect(someone.page.get_by_label("Token")).to_be_visible()
    someone.complaints.clear()
    someone.leave()


def test_who_may_only_look_sees_no_buttons(browser: BrowserContext, shop: Shop) -> None:
    someone = Visitor(browser.new_page(), served(shop.site, *SHOP, "--read-only"))
    someone.go(f"/jobs/{shop.jobs['dead']}")
    expect(someone.page.locator("main form button")).to_have_count(0)
    someone.go("/schedules")
    expect(someone.page.locator("main form button")).to_have_count(0)
    someone.leave()


def test_an_unknown_job_has_a_page_that_says_so(visitor: Visitor) -> None:
    visitor.go("/jobs/01a213be-92ec-71cc-a138-889512eab6a9", status=404)
    # The browser itself notes the status in the console; that is all it may note.
    visitor.complaints.clear()

    check(visitor, "job-unknown")


def test_the_dialogs_are_accessible(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.page.keyboard.press("?")
    expect(visitor.page.locator("#keys")).to_be_visible()
    check(visitor, "keys")
    visitor.page.keyboard.press("Escape")
    visitor.page.keyboard.press("Control+k")
    expect(visitor.page.locator("#palette")).to_be_visible()
    check(visitor, "palette")
