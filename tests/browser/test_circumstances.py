"""Pages where it is not one quiet tab on a desk: many tabs, much zoom, paper, many jobs."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.conftest import Shop
from tests.browser.test_pages import PAGES
from tests.browser.visitor import Visitor

ZOOMED = (640, 400)
"""A desk at 200 %."""
TABS = 6
MANY = 10_000


def test_six_tabs_are_all_live(browser: BrowserContext, shop: Shop) -> None:
    visitors = [Visitor(browser.new_page(), shop.address) for _ in range(TABS)]
    for visitor in visitors:
        visitor.go("/jobs?task=tabs")
    job = shop.queue.enqueue("tabs", delay=3600)
    for visitor in visitors:
        # A tab that nobody sees asks for nothing until it is seen.
        visitor.page.bring_to_front()
        expect(visitor.page.locator(f"#job-{job.id}")).to_be_visible()
    for visitor in visitors:
        visitor.leave()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_fits_when_it_is_zoomed(visitor: Visitor, shop: Shop, name: str) -> None:
    visitor.look_as("light", ZOOMED)
    visitor.go(PAGES[name].format_map(shop.jobs) if "{" in PAGES[name] else PAGES[name])
    expect(visitor.page.locator("h1")).to_be_visible()
    assert not visitor.outside()


@pytest.mark.parametrize("name", ["overview", "job-dead", "failures"])
def test_paper_has_what_can_be_read_and_no_buttons(visitor: Visitor, shop: Shop, name: str) -> None:
    visitor.go(PAGES[name].format_map(shop.jobs))
    visitor.page.emulate_media(media="print")
    visitor.picture(f"{name}-print")
    expect(visitor.page.locator("h1")).to_be_visible()
    expect(visitor.page.locator("main .card").first).to_be_visible()
    shown = visitor.page.locator(
        "button:visible, input:visible, nav a:not([aria-current]):visible"
    ).all()
    assert [each.evaluate("(found) => found.outerHTML") for each in shown] == []


def test_nothing_moves_for_who_wants_no_motion(visitor: Visitor) -> None:
    visitor.page.emulate_media(reduced_motion="reduce")
    visitor.go("/")
    moving = visitor.page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((found) => {
            const { transitionDuration, animationName } = getComputedStyle(found);
            return parseFloat(transitionDuration) > 0 || animationName !== "none";
        }).map((found) => found.outerHTML.slice(0, 100))"""
    )
    assert moving == []


def test_ten_thousand_are_cancelled_until_somebody_stops_it(visitor: Visitor, shop: Shop) -> None:
    shop.queue.enqueue_many("crowd", [()] * MANY, delay=3600)
    visitor.go("/operations/new?verb=cancel&filter=task:crowd")
    visitor.page.get_by_label("At most per second").fill("2000")
    visitor.page.get_by_role("button", name=f"Cancel {MANY:,} jobs").click()
    progress = visitor.page.locator("#progress")
    expect(progress).to_contain_text(re.compile(r"[1-9],\d{3} of 10,000"))
    visitor.page.get_by_role("button", name="Stop").click()

    expect(visitor.page.locator("h1")).to_contain_text("Stopped")
    left = shop.queue.count_jobs("pending", task_name="crowd")
    assert 0 < left < MANY
    assert shop.queue.count_jobs("cancelled", task_name="crowd") == MANY - left
