"""How much is sent: the first page with all that it loads, and the pages after it."""

from playwright.sync_api import Request, expect

from taskito_dashboard.rendering import Pages
from tests.browser.visitor import Visitor

FIRST = 60_000
LATER = 15_000
OWN = 12_288
"""Bytes of scripts that are ours."""


def sizes(requests: list[Request]) -> dict[str, int]:
    """The bytes of each answer by its address, headers included."""
    found: dict[str, int] = {}
    for request in requests:
        size = request.sizes()
        found[request.url] = size["responseBodySize"] + size["responseHeadersSize"]
    return found


def test_the_first_page_and_the_next_ones_are_light(visitor: Visitor) -> None:
    # Nothing may come from the cache of pages that were opened before.
    visitor.page.context.new_cdp_session(visitor.page).send("Network.clearBrowserCache")
    sent: list[Request] = []
    visitor.page.on("requestfinished", lambda request: sent.append(request))  # noqa: PLW0108
    visitor.go("/")
    expect(visitor.page.locator("#throughput canvas")).to_be_visible()
    visitor.page.keyboard.press(".")
    first = sizes(sent)
    assert len(first) > 6, first
    assert 30_000 < sum(first.values()) <= FIRST, first

    for path in ("/jobs", "/failures", "/tasks", "/"):
        sent.clear()
        visitor.go(path)
        visitor.page.keyboard.press(".")
        later = {
            url: size for url, size in sizes(sent).items() if url not in first or url[-1] == "/"
        }
        assert sum(later.values()) <= LATER, (path, later)


def test_scripts_of_ours_are_few() -> None:
    files = Pages().files
    ours = [name for name in files if name.endswith(".js") and ".min." not in name]

    assert sum(len(files[name]) for name in ours) <= OWN, ours
