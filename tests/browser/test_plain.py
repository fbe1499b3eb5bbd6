"""Without JavaScript: every page can be read, every action can be used."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shop
from tests.browser.test_pages import PAGES
from tests.browser.visitor import Visitor


@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_read(plain_visitor: Visitor, shop: Shop, name: str) -> None:
    path = PAGES[name]
    plain_visitor.go(path.format_map(shop.jobs) if "{" in path else path)
    page = plain_visitor.page

    expect(page.locator("h1")).to_be_visible()
    # What only scripts can serve is not there.
    for selector in ("#live", "#keys-open", ".copy", ".ticks", "#zones [data-zone]"):
        for found in page.locator(selector).all():
            expect(found).to_be_hidden()


def test_a_job_is_cancelled_and_replayed(plain_visitor: Visitor, shop: Shop) -> None:
    job = shop.queue.enqueue("plain", delay=3600)
    plain_visitor.go(f"/jobs/{job.id}")
    plain_visitor.page.get_by_role("button", name="Cancel").click()
    expect(plain_visitor.page.locator("h1")).to_contain_text("Cancelled")
    plain_visitor.page.get_by_role("button", name="Replay").click()

    expect(plain_visitor.page.locator(".notice")).to_contain_text("1 job stored once more")


def test_many_jobs_are_cancelled(plain_visitor: Visitor, shop: Shop) -> None:
    shop.queue.enqueue_many("plain_many", [()] * 3, delay=3600)
    plain_visitor.go("/jobs?task=plain_many")
    boxes = plain_visitor.page.locator('[name="ids"]')
    boxes.nth(0).check()
    boxes.nth(1).check()
    plain_visitor.page.locator('[name="deed"][value="cancel"]').first.click()

    expect(plain_visitor.page.locator(".state.cancelled")).to_have_count(2)


def test_a_queue_is_paused_limited_and_resumed(plain_visitor: Visitor, shop: Shop) -> None:
    shop.queue.enqueue("add", (1, 2), queue="plain_queue", delay=3600)
    plain_visitor.go("/queues/plain_queue")
    page = plain_visitor.page
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("h1")).to_contain_text("paused")
    page.get_by_label("At once").fill("3")
    page.get_by_role("button", name="Store limits").click()
    expect(page.get_by_label("At once")).to_have_value("3")
    page.get_by_role("button", name="Resume").click()

    expect(page.locator("h1")).not_to_contain_text("paused")


def test_a_schedule_is_paused_run_and_resumed(plain_visitor: Visitor) -> None:
    plain_visitor.go("/schedules")
    row = plain_visitor.page.locator("tbody tr", has_text="nightly_cleanup")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("paused")
    row.get_by_role("button", name="Run now").click()
    expect(plain_visitor.page.locator(".notice")).to_contain_text("One job enqueued")
    plain_visitor.go("/schedules")
    row.get_by_role("button", name="Resume").click()

    expect(row).not_to_contain_text("paused")


def test_numbers_of_charts_are_in_a_table(plain_visitor: Visitor) -> None:
    plain_visitor.go("/?t=15m")
    plain_visitor.page.locator("#throughput summary").click()

    done = plain_visitor.page.locator("#throughput tbody td:nth-child(2)").all_inner_texts()
    assert sum(int(number.replace(",", "")) for number in done) >= 80
    plain_visitor.picture("overview-plain")


def test_the_theme_is_chosen(plain_visitor: Visitor) -> None:
    plain_visitor.go("/jobs?task=send_email")
    plain_visitor.page.get_by_role("link", name="Dark").click()

    expect(plain_visitor.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert plain_visitor.page.url.endswith("/jobs?task=send_email")
