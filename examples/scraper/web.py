"""A small web that is made up: what its pages say, and what goes wrong with each."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urljoin

from examples.scraper.page import Page

VOCABULARY = ("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "haven", "inlet")
WORDS_PER_PAGE = 120
LINKS_PER_PAGE = 6
OUTSIDE = "https://outside.invalid/"


class Trouble(Enum):
    """What is wrong with a page."""

    NONE = "none"
    BUSY = "busy"
    """Answers 503 the first time."""
    SLOW = "slow"
    """Answers the first time one byte at a time, for ever."""
    DOWN = "down"
    """Answers 503 every time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One page of the web.

    Attributes:
        html: what is sent.
        truth: what a crawler must read in it.
        trouble: what a crawler must overcome to get it.
    """

    html: str
    truth: Page
    trouble: Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """All pages, and the links to pages that are not there.

    Attributes:
        start: URL of the page from which all others can be reached.
        leaves: the pages by URL.
        missing: URLs that some page links to, on the hosts of this web, and that have no page.
    """

    start: str
    leaves: dict[str, Leaf] = field(default_factory=dict[str, Leaf])
    missing: set[str] = field(default_factory=set[str])

    def having(self, trouble: Trouble) -> set[str]:
        """Return the URLs of the pages with this trouble."""
        return {url for url, leaf in self.leaves.items() if leaf.trouble is trouble}


def make(hosts: Sequence[str], pages: int, seed: int) -> Web:
    """Make up a web of this many pages; the same seed makes the same web.

    Page n links to 2n+1 and 2n+2, so every page can be reached, and to some others at random.

    Args:
        hosts: name and port of each host; the pages are dealt to them in turn.
        pages: how many.
        seed: of the random choices.
    """
    chance = random.Random(seed)
    urls = [f"http://{hosts[n % len(hosts)]}/page-{n}.html" for n in range(pages)]
    web = Web(start=urls[0])
    for n, url in enumerate(urls):
        trouble = _trouble(n, pages)
        links = [urls[child] for child in (2 * n + 1, 2 * n + 2) if child < pages]
        links += chance.sample(urls, min(LINKS_PER_PAGE - 2, pages))
        if n % 10 == 0 and trouble is not Trouble.DOWN:
            missing = urljoin(url, f"/missing-{n}.html")
            web.missing.add(missing)
            links += [missing, OUTSIDE]
        words = chance.choices(VOCABULARY, weights=range(len(VOCABULARY), 0, -1), k=WORDS_PER_PAGE)
        truth = Page(links=tuple(sorted(set(links))), words=dict(Counter(words)))
        web.leaves[url] = Leaf(html=_html(url, words, links), truth=truth, trouble=trouble)
    return web


def _trouble(n: int, pages: int) -> Trouble:
    """Choose by the number; only pages that no other depends on may be down for good."""
    if n == pages // 2:
        return Trouble.SLOW
    if n >= pages - 2:
        return Trouble.DOWN
    return Trouble.BUSY if n % 8 == 3 else Trouble.NONE


def _html(url: str, words: Sequence[str], links: Sequence[str]) -> str:
    """Write a page; the first words are the texts of the links."""
    texts = iter(words)
    anchors = " ".join(f'<a href="{_short(url, link)}">{next(texts)}</a>' for link in links)
    return f"<!DOCTYPE html><html><body><p>{anchors}</p><p>{' '.join(texts)}</p></body></html>"


def _short(url: str, link: str) -> str:
    """Write a link as people do: relative on the same host, and to a part of the page."""
    home = urljoin(url, "/")
    return link.replace(home, "/") + "#part" if link.startswith(home) else link
