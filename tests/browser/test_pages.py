"""Every page, as browsers show it: in both themes, on a desk and on a phone."""

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shop
from tests.browser.visitor import DESK, PHONE, Scheme, Visitor
from tests.dashboard.asking import HOSTILE

NAME = quote(HOSTILE, safe="")
PAGES = {
    "overview": "/",
    "jobs": "/jobs",
    "jobs-dead": "/jobs?status=dead",
    "jobs-none": "/jobs?task=nothing",
    "job-dead": "/jobs/{dead}",
    "job-running": "/jobs/{running}",
    "job-complete": "/jobs/{complete}",
    "job-pending": "/jobs/{pending}",
    "failures": "/failures",
    "tasks": "/tasks",
    "task": "/tasks/send_email",
    "task-hostile": f"/tasks/{NAME}",
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
