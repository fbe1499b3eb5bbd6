"""How much is sent: the first page with all that it loads, and the pages after it."""

from playwright.sync_api import Page, Response, expect

from tests.browser.visitor import Visitor

FIRST = 60_000
LATER = 15_000


def count(page: Page) -> list[tuple[str, int]]:
    """Note the bytes of every answer from now on, headers included."""
    sent: list[tuple[str, int]] = []

    def note(answer: Response) -> None:
        if not answer.from_service_worker:
            sizes = answer.request.sizes()
            total = sizes["responseBodySize"] + sizes["responseHeadersSize"]
            sent.append((answer.url, total))

    page.on("requestfinished", lambda request: note(request.response()))  # type: ignore[arg-type]
    return sent


def test_the_first_page_and_the_next_ones_are_light(visitor: Visitor) -> None:
    # Nothing may come from the cache of pages that were opened before.
    session = visitor.page.context.new_cdp_session(visitor.page)
    session.send("Network.clearBrowserCache")
    sent = count(visitor.page)
    visitor.go("/")
    expect(visitor.page.locator("#throughput canvas")).to_be_visible()
    visitor.page.keyboard.press(".")
    total = sum(size for _, size in sent)
    assert len(sent) > 6, sent
    assert 30_000 < total <= FIRST, sent

    for path in ("/jobs", "/failures", "/tasks", "/"):
        sent.clear()
        visitor.go(path)
        visitor.page.keyboard.press(".")
        fresh = [(url, size) for url, size in sent if "/static/" not in url]
        assert sum(size for _, size in fresh) <= LATER, (path, sent)
