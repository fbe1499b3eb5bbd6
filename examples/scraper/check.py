"""Whether the crawl found what is there: held against the web as it was made up."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from examples.scraper.page import Page
from examples.scraper.server import Site
from examples.scraper.web import Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What became of one job.

    Attributes:
        page: what it read, or ``None`` if it gave up.
        failures: the last line of the error of each attempt that failed.
        max_attempts: how often it might have tried.
    """

    page: Page | None
    failures: tuple[str, ...]
    max_attempts: int

    @property
    def attempts(self) -> int:
        """How often it tried."""
        return len(self.failures) + (self.page is not None)


def differences(site: Site, visits: Mapping[str, Visit]) -> list[str]:
    """Return one sentence for everything that is not as it must be; none is good."""
    return [
        *_wrong_pages(site, visits),
        *_wrong_ends(site, visits),
        *_wrong_requests(site, visits),
    ]


def _wrong_pages(site: Site, visits: Mapping[str, Visit]) -> Iterator[str]:
    down = site.web.having(Trouble.DOWN)
    expected = {url: leaf.truth for url, leaf in site.web.leaves.items() if url not in down}
    found = {url: visit.page for url, visit in visits.items() if visit.page}
    for url in sorted(expected.keys() | found.keys()):
        if url not in found:
            yield f"{url} was not read"
        elif url not in expected:
            yield f"{url} was read, and is not there"
        else:
            if found[url].links != expected[url].links:
                yield f"the links of {url} are not those it has"
            if found[url].words != expected[url].words:
                yield f"the words of {url} are not those it has"


def _wrong_ends(site: Site, visits: Mapping[str, Visit]) -> Iterator[str]:
    down = site.web.having(Trouble.DOWN)
    gave_up = {url: visit for url, visit in visits.items() if not visit.page}
    for url in sorted(gave_up.keys() ^ (down | site.web.missing)):
        yield f"{url} {'was given up' if url in gave_up else 'has no job that was given up'}"
    for url, visit in gave_up.items():
        if url in down and visit.attempts != visit.max_attempts:
            yield f"{url} was given up after {visit.attempts} of {visit.max_attempts} attempts"
        found_out = sum("PageNotFoundError" in failure for failure in visit.failures)
        if url not in down and found_out != 1:
            yield f"{url} was found to be missing {found_out} times instead of once"


def _wrong_requests(site: Site, visits: Mapping[str, Visit]) -> Iterator[str]:
    """A page costs one request per attempt; an attempt may time out before it gets that far."""
    requests = Counter(request.url for request in site.requests)
    for url in sorted(requests.keys() | visits.keys()):
        allowed = visits[url].attempts if url in visits else 0
        if not 1 <= requests[url] <= allowed:
            yield f"{url}: {requests[url]} requests by {allowed} attempts"
