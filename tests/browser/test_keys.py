"""Everything by keyboard."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shop
from tests.browser.visitor import Visitor

PLACES = {
    "o": "Overview",
    "j": "Jobs",
    "f": "Failures",
    "t": "Tasks",
    "q": "Queues",
    "s": "Schedules",
    "k": "Workers",
    "y": "System",
}
_REACHED = """
() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const isMarked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  element.dataset.reached = "yes";
  return isMarked || element === document.body ? null : element.outerHTML.slice(0, 120);
}
"""
_MISSED = """
() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
  .filter((element) => !element.dataset.reached && element.checkVisibility() &&
    element.type !== "hidden" && !element.closest("dialog"))
  .map((element) => element.outerHTML.slice(0, 120))
"""
_FOCUSABLE = """
() => document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']").length
"""


@pytest.mark.parametrize("path", ["/", "/jobs?task=send_email", "/failures", "/queues/emails"])
def test_tab_reaches_everything_and_shows_where_it_is(visitor: Visitor, path: str) -> None:
    visitor.go(path)
    visitor.page.keyboard.press(".")
    unmarked: set[str] = set()
    for _ in range(visitor.page.evaluate(_FOCUSABLE) + 2):
        visitor.page.keyboard.press("Tab")
        found = visitor.page.evaluate(_REACHED)
        if found:
            unmarked.add(found)

    assert visitor.page.evaluate(_MISSED) == []
    assert unmarked == set()


@pytest.mark.parametrize("key", PLACES)
def test_g_and_a_letter_go_to_a_page(visitor: Visitor, key: str) -> None:
    visitor.go("/system" if key != "y" else "/")
    visitor.page.keyboard.press("g")
    visitor.page.keyboard.press(key)

    expect(visitor.page.locator("h1")).to_contain_text(PLACES[key])


def test_rows_are_walked_ticked_and_opened(visitor: Visitor, shop: Shop) -> None:
    visitor.go("/jobs?status=dead&task=send_email")
    rows = visitor.page.locator("tbody tr")
    visitor.page.keyboard.press("j")
    visitor.page.keyboard.press("j")
    visitor.page.keyboard.press("x")
    expect(rows.nth(1).locator("input")).to_be_checked()
    visitor.page.keyboard.press("k")
    visitor.page.keyboard.press("Enter")

    assert shop.jobs["dead"] is not None
    expect(visitor.page.locator("h1")).to_contain_text("send_email")


def test_r_retries_the_row_and_c_cancels_it(visitor: Visitor, shop: Shop) -> None:
    job = shop.queue.enqueue("by_key", delay=3600)
    visitor.go("/jobs?task=by_key")
    visitor.page.keyboard.press("j")
    visitor.page.keyboard.press("c")

    expect(visitor.page.locator(f"#job-{job.id}")).to_contain_text("Cancelled")
    visitor.go("/failures?task=send_email")
    letters = visitor.page.locator("#list tbody tr")
    number = letters.count()
    visitor.page.keyboard.press("j")
    visitor.page.keyboard.press("r")
    expect(visitor.page.locator(".notice[role=status]")).to_contain_text("1 job retried")
    expect(letters).not_to_have_count(number)


def test_e_shows_the_whole_error(visitor: Visitor) -> None:
    visitor.go("/jobs?status=dead")
    visitor.page.keyboard.press("j")
    visitor.page.keyboard.press("e")

    error = visitor.page.locator("tbody tr").first.locator(".error")
    expect(error).to_have_css("white-space", "pre-wrap")


def test_slash_searches_and_letters_are_letters_there(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.page.keyboard.press("/")
    visitor.page.keyboard.type("gj?.")

    expect(visitor.page.locator(".search input")).to_have_value("gj?.")
    expect(visitor.page.locator("h1")).to_have_text("Overview")


def test_the_last_term_of_a_filter_line_is_completed(visitor: Visitor, shop: Shop) -> None:
    offered = "(input) => [...input.list.options].map((option) => option.value)"
    visitor.go("/jobs?filter=state:dead")
    line = visitor.page.locator('main [name="filter"][list]')
    assert "state:dead task:send_email" in line.evaluate(offered)

    line.press("End")
    line.press_sequentially(" -queue:none ta")
    assert "state:dead -queue:none task:send_email" in line.evaluate(offered)
    # A page that came again meanwhile leaves the line and what is offered as they are.
    with visitor.page.expect_response(lambda got: "/jobs?filter=" in got.url and got.ok):
        shop.queue.enqueue("by_key", delay=3600)
    expect(line).to_have_value("state:dead -queue:none ta")
    assert "state:dead -queue:none task:send_email" in line.evaluate(offered)

    visitor.page.keyboard.press("Control+k")
    visitor.page.keyboard.type("queue")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("h1")).to_have_text("Queues")


def test_single_keys_can_be_turned_off(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.page.keyboard.press("?")
    visitor.page.get_by_label("single keys are on").uncheck()
    visitor.page.keyboard.press("Escape")
    visitor.page.keyboard.press("?")
    expect(visitor.page.locator("#keys")).to_be_hidden()

    visitor.page.locator("#keys-open").click()
    visitor.page.get_by_label("single keys are on").check()
    visitor.page.get_by_role("button", name="Close").click()


def test_the_palette_goes_to_places_and_finds_the_rest(visitor: Visitor, shop: Shop) -> None:
    visitor.go("/")
    visitor.page.keyboard.press("Control+k")
    visitor.page.keyboard.type("sched")
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("h1")).to_have_text("Schedules")

    visitor.page.keyboard.press("Control+k")
    visitor.page.keyboard.type(shop.jobs["complete"])
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("h1")).to_contain_text("send_email")


def test_t_walks_the_themes_and_the_server_knows_them(visitor: Visitor) -> None:
    visitor.look_as("light", (1280, 800))
    visitor.go("/schedules")
    grounds: list[str] = []
    for theme in ("light", "dark", "system"):
        visitor.page.keyboard.press("t")
        # What the server sent, before any script could run.
        expect(visitor.page.locator("html")).to_have_attribute("data-theme", theme)
        ground = "() => getComputedStyle(document.documentElement).backgroundColor"
        grounds.append(visitor.page.evaluate(ground))

    assert grounds[0] == grounds[2] != grounds[1]


def test_z_shows_times_where_the_browser_is(visitor: Visitor, shop: Shop) -> None:
    visitor.go(f"/jobs/{shop.jobs['complete']}")
    enqueued = visitor.page.locator("#details dt:text-is('Enqueued') + dd")
    expect(enqueued).to_contain_text("UTC")
    visitor.page.keyboard.press("z")
    expect(enqueued).to_contain_text("CE")
    expect(visitor.page.locator("#zones [aria-current]")).to_have_text("Europe/Berlin")

    visitor.page.keyboard.press("z")
    expect(enqueued).to_contain_text("UTC")
