"""What a page says: its links and its words. No queue and no network here."""

import re
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin

_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a job returns about one page.

    Attributes:
        links: where it leads, absolute and without fragments, each once, sorted.
        words: how often it uses each word, in lower case.
    """

    links: tuple[str, ...]
    words: dict[str, int]


def read(url: str, html: str) -> Page:
    """Return what the page at ``url`` says."""
    parser = _Parser()
    parser.feed(html)
    parser.close()
    links = {urldefrag(urljoin(url, href)).url for href in parser.hrefs}
    words = Counter(_WORD.findall(" ".join(parser.texts).lower()))
    return Page(links=tuple(sorted(links)), words=dict(words))


class _Parser(HTMLParser):
    """Collects the targets of links, and the text between the tags."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the target of a link."""
        if tag == "a":
            self.hrefs += [value for name, value in attrs if name == "href" and value]

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.texts.append(data)
