"""The end of the crawl: a table for people, one document for programs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from examples.common.program import Answer
from examples.common.screen import Paint
from examples.scraper.check import Visit
from examples.scraper.server import Site

LISTED_AT_MOST = 8
TOP_WORDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """Everything that a crawl found out.

    Attributes:
        site: the web, and the requests its servers got.
        visits: what became of the job of each page.
        seconds: how long it took.
        differences: what is not as it must be.
        database: the queue's file if it is still there, else ``None``.
    """

    site: Site
    visits: dict[str, Visit]
    seconds: float
    differences: list[str]
    database: str | None

    @property
    def graph(self) -> dict[str, tuple[str, ...]]:
        """Where each page leads to."""
        return {url: visit.page.links for url, visit in sorted(self.visits.items()) if visit.page}

    @property
    def words(self) -> Counter[str]:
        """How often all pages together use each word."""
        total: Counter[str] = Counter()
        for visit in self.visits.values():
            total.update(visit.page.words if visit.page else {})
        return total

    @property
    def retries(self) -> Counter[str]:
        """How many attempts were made again, by the error that made it necessary."""
        return Counter(
            failure
            for visit in self.visits.values()
            for failure in visit.failures[: visit.attempts - 1]
        )

    @property
    def dead(self) -> dict[str, str]:
        """Why each page that was given up was given up."""
        return {
            url: visit.failures[-1]
            for url, visit in sorted(self.visits.items())
            if not visit.page and visit.failures
        }


def answer_of(crawl: Crawl) -> Answer:
    """Return what the command prints."""
    problem = None
    if crawl.differences:
        problem = f"{len(crawl.differences):,} things are wrong, first: {crawl.differences[0]}"
    return Answer(
        document={
            "pages": len(crawl.graph),
            "links": sum(map(len, crawl.graph.values())),
            "words": dict(crawl.words.most_common()),
            "graph": crawl.graph,
            "requests": len(crawl.site.requests),
            "retries": dict(crawl.retries),
            "dead": crawl.dead,
            "seconds": round(crawl.seconds, 3),
            "check": {"agrees": not crawl.differences, "differences": crawl.differences},
            "database": crawl.database,
        },
        table=lambda paint: _rows(crawl, paint),
        problem=problem,
    )


def _rows(crawl: Crawl, paint: Paint) -> Iterator[tuple[str, list[str]]]:
    words = crawl.words
    links = sum(map(len, crawl.graph.values()))
    yield "pages", [f"{len(crawl.graph):,} read, {links:,} links, {words.total():,} words"]
    yield "words", [" · ".join(f"{word} {n:,}" for word, n in words.most_common(TOP_WORDS))]
    requests = len(crawl.site.requests)
    yield "requests", [f"{requests:,} in {crawl.seconds:.1f} s"]
    yield "retries", _reasons(crawl.retries)
    yield "dead", _reasons(Counter(crawl.dead.values()))
    yield "check", _check_rows(crawl, paint)
    if crawl.database:
        yield "kept", [crawl.database, f"look inside: taskito info --db {crawl.database}"]


def _reasons(reasons: Counter[str]) -> list[str]:
    return [f"{n:,}x {reason}" for reason, n in reasons.most_common()] or ["none"]


def _check_rows(crawl: Crawl, paint: Paint) -> list[str]:
    if not crawl.differences:
        text = "✓ every link and word is as it was made up; no page was fetched without need"
        return [paint.green(text)]
    rows = [paint.red(f"✗ {len(crawl.differences):,} things are wrong")]
    return [*rows, *crawl.differences[:LISTED_AT_MOST]]
