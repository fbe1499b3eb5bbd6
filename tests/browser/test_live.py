"""Pages that keep themselves current, and leave alone what somebody is doing."""

import threading
from pathlib import Path

from playwright.sync_api import BrowserContext, expect

from taskito import Queue
from tests.browser.conftest import Shop, served
from tests.browser.visitor import Visitor

LIVE = ".top #live .word"


def count(visitor: Visitor, label: str) -> str:
    tile = visitor.page.locator("#tiles .tile", has_text=label)
    return tile.locator(".value").inner_text()


def test_new_jobs_appear_without_a_reload(visitor: Visitor, shop: Shop) -> None:
    visitor.go("/jobs?task=later")
    expect(visitor.page.locator("main")).to_contain_text("No such jobs")
    visitor.page.evaluate("() => { window.isSamePage = true; }")
    job = shop.queue.enqueue("later", delay=3600)

    expect(visitor.page.locator(f"#job-{job.id}")).to_be_visible()
    assert visitor.page.evaluate("() => window.isSamePage")


def test_the_first_steps_tick_themselves_off(
    browser: BrowserContext, shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "first.db"
    with Queue(file) as queue:
        queue.stats()
        someone = Visitor(browser.new_page(), served(shop.site, "--db", str(file)))
        someone.go("/")
        someone.page.evaluate("() => { window.isSamePage = true; }")
        ticks = someone.page.locator(".steps .state.complete")
        expect(ticks).to_have_count(0)
        queue.task(name="add")(max)
        worker = threading.Thread(target=queue.run_worker)
        worker.start()

        expect(ticks).to_have_count(2)
        expect(ticks.first).to_have_text("✓ add")
        expect(ticks.last).to_have_text("✓ 1 at work")
        queue.enqueue("add", (1, 2))
        expect(someone.page.locator("h1")).to_have_text("Overview")
        assert someone.page.evaluate("() => window.isSamePage")
        someone.leave()
        queue.shutdown()
        worker.join()


def test_newer_jobs_are_told_of_and_shown_on_wish(visitor: Visitor, shop: Shop) -> None:
    old = shop.queue.enqueue("pushed", delay=3600)
    visitor.go("/jobs?task=pushed")
    rows = visitor.page.locator("#list tbody tr")
    expect(rows).to_have_count(1)
    new = [shop.queue.enqueue("pushed", delay=3600) for _ in range(2)]
    expect(visitor.page.locator("#list .newer")).to_contain_text("2 newer jobs · show")
    shop.queue.cancel_job(old.id)
    expect(visitor.page.locator(f"#job-{old.id}")).to_contain_text("Cancelled")
    expect(rows).to_have_count(1)
    visitor.page.get_by_role("link", name="show", exact=True).click()

    expect(visitor.page.locator(f"#job-{new[1].id}")).to_be_visible()
    expect(rows).to_have_count(3)
    expect(visitor.page.locator("#list .newer")).to_have_count(0)


def test_focus_caret_ticks_and_what_is_typed_stay(visitor: Visitor, shop: Shop) -> None:
    old = shop.queue.enqueue("busy", delay=3600)
    visitor.go("/jobs?task=busy")
    visitor.page.locator(f'input[value="{old.id}"]').check()
    field = visitor.page.locator('.filters [name="filter"]')
    field.fill("SMTP timeout")
    field.evaluate("(input) => input.setSelectionRange(2, 4)")
    shop.queue.enqueue("busy", delay=3600)

    expect(visitor.page.locator("#list .newer")).to_contain_text("1 newer job")
    expect(visitor.page.locator(f'input[value="{old.id}"]')).to_be_checked()
    expect(field).to_have_value("SMTP timeout")
    caret = "() => [document.activeElement.name, document.activeElement.selectionStart]"
    assert visitor.page.evaluate(caret) == ["filter", 2]


def test_a_row_keeps_the_focus_when_others_come_before_it(visitor: Visitor, shop: Shop) -> None:
    old = shop.queue.enqueue("rows", delay=3600)
    visitor.go("/tasks/rows")
    row = visitor.page.locator(f"#job-{old.id}")
    row.evaluate("(row) => { row.tabIndex = -1; row.focus(); }")
    new = shop.queue.enqueue("rows", delay=3600)

    expect(visitor.page.locator(f"#job-{new.id}")).to_be_visible()
    assert visitor.page.evaluate("() => document.activeElement.id") == f"job-{old.id}"


def test_what_is_folded_open_stays_open(visitor: Visitor, shop: Shop) -> None:
    shop.queue.enqueue("folds", delay=3600)
    visitor.go("/jobs?task=folds")
    visitor.page.locator("details summary").first.click()
    shop.queue.enqueue("folds", delay=3600)

    expect(visitor.page.locator("#list .newer")).to_be_visible()
    expect(visitor.page.locator("main details").first).to_have_attribute("open", "")


def test_nothing_moves_while_text_is_selected(visitor: Visitor, shop: Shop) -> None:
    visitor.go("/jobs?task=selected")
    visitor.page.evaluate("() => getSelection().selectAllChildren(document.querySelector('h1'))")
    job = shop.queue.enqueue("selected", delay=3600)
    with visitor.page.expect_request_finished(timeout=30_000) as _asked:
        visitor.page.evaluate("() => getSelection().removeAllRanges()")

    expect(visitor.page.locator(f"#job-{job.id}")).to_be_visible()


def test_a_paused_page_says_so_and_goes_on(visitor: Visitor, shop: Shop) -> None:
    visitor.go("/jobs?task=paused_page")
    visitor.page.keyboard.press(".")
    expect(visitor.page.locator(LIVE)).to_contain_text("paused")
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url))
    job = shop.queue.enqueue("paused_page", delay=3600)
    expect(visitor.page.locator(LIVE)).to_contain_text("s old", timeout=30_000)
    assert asked == []

    visitor.page.keyboard.press(".")
    expect(visitor.page.locator(f"#job-{job.id}")).to_be_visible()
    expect(visitor.page.locator(LIVE)).to_have_text("live")


def test_an_unchanged_page_is_not_sent_again(visitor: Visitor) -> None:
    visitor.go("/schedules")
    with visitor.page.expect_response(lambda answer: answer.status == 304, timeout=30_000) as found:
        pass

    assert found.value.request.headers["if-none-match"]


def test_copying_takes_the_whole_text(visitor: Visitor, shop: Shop) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visitor.go(f"/jobs/{shop.jobs['dead']}")
    visitor.page.locator("#details .copy").first.click()

    expect(visitor.page.locator("#details .copy").first).to_have_text("Copied")
    assert visitor.page.evaluate("() => navigator.clipboard.readText()") == shop.jobs["dead"]
