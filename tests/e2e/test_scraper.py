"""The scraper of the examples, run as anyone would run it."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from examples.scraper.check import Visit, differences
from examples.scraper.server import Site, serving
from examples.scraper.web import Trouble

from tests.support import examples

PAGES = 40


class TestScraper:
    def test_it_finds_every_page_and_gives_up_on_the_rest(self) -> None:
        found = examples.document("scraper", "--pages", str(PAGES))

        assert found["check"] == {"agrees": True, "differences": []}
        assert found["pages"] == len(found["graph"]) == PAGES - 2
        assert sum(found["words"].values()) == (PAGES - 2) * 120
        assert sorted(url.rpartition("/")[2] for url in found["dead"]) == [
            "missing-0.html",
            "missing-10.html",
            "missing-20.html",
            "missing-30.html",
            "page-38.html",
            "page-39.html",
        ]
        errors = " ".join(found["retries"])
        assert "HTTP Error 503" in errors
        assert "TaskTimeoutError" in errors
        assert "PageNotFoundError" not in errors

    def test_the_table_says_what_happened_and_that_the_check_agrees(self) -> None:
        done = examples.run("scraper", "--pages", str(PAGES), "--workers", "1")

        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert f"pages      {PAGES - 2} read" in done.stdout
        assert "4x examples.scraper.tasks.PageNotFoundError: the link is broken" in done.stdout
        assert "✓ every link and word is as it was made up" in done.stdout

    def test_interrupting_it_stops_its_workers(self, tmp_path: Path) -> None:
        examples.interrupt("scraper", "--pages", "5000", folder=tmp_path)

    def test_no_pages_is_a_usage_error(self) -> None:
        done = examples.run("scraper", "--pages", "0")

        assert done.returncode == 2
        assert "'0' is not a number above zero" in done.stderr


class TestCheck:
    @pytest.fixture
    def site(self) -> Iterator[Site]:
        with serving(PAGES, seed=1) as site:
            yield site

    @pytest.fixture
    def visits(self, site: Site) -> dict[str, Visit]:
        """A perfect crawl: every page fetched as often as its trouble demands."""
        busy, failed = ("HTTP Error 503",), ("PageNotFoundError: the link is broken",)
        visits = {
            url: Visit(page=None, failures=failed, max_attempts=4) for url in site.web.missing
        }
        for url, leaf in site.web.leaves.items():
            down = leaf.trouble is Trouble.DOWN
            failures = busy * (4 if down else leaf.trouble is not Trouble.NONE)
            page = None if down else leaf.truth
            visits[url] = Visit(page=page, failures=failures, max_attempts=4)
        for url, visit in visits.items():
            for _ in range(visit.attempts):
                site.note(url)
        return visits

    def test_a_perfect_crawl_has_no_differences(self, site: Site, visits: dict[str, Visit]) -> None:
        assert differences(site, visits) == []

    def test_it_notices_wrong_words_and_links(self, site: Site, visits: dict[str, Visit]) -> None:
        page = visits[site.web.start].page
        assert page
        wrong = dataclasses.replace(page, links=page.links[1:], words={"amber": 1})
        visits[site.web.start] = dataclasses.replace(visits[site.web.start], page=wrong)

        assert differences(site, visits) == [
            f"the links of {site.web.start} are not those it has",
            f"the words of {site.web.start} are not those it has",
        ]

    def test_it_notices_a_page_that_was_not_visited(
        self, site: Site, visits: dict[str, Visit]
    ) -> None:
        url = min(site.web.missing)
        del visits[site.web.start], visits[url]

        assert differences(site, visits) == [
            f"{site.web.start} was not read",
            f"{url} has no job that was given up",
            f"{url}: 1 requests by 0 attempts",
            f"{site.web.start}: 1 requests by 0 attempts",
        ]

    def test_it_notices_a_page_that_was_fetched_without_need(
        self, site: Site, visits: dict[str, Visit]
    ) -> None:
        site.note(site.web.start)

        assert differences(site, visits) == [f"{site.web.start}: 2 requests by 1 attempts"]

    def test_it_notices_attempts_that_were_not_made_or_made_in_vain(
        self, site: Site, visits: dict[str, Visit]
    ) -> None:
        down, missing = min(site.web.having(Trouble.DOWN)), min(site.web.missing)
        for url, times in (down, 3), (missing, 2):
            failures = visits[url].failures[:1] * times
            visits[url] = dataclasses.replace(visits[url], failures=failures)

        assert set(differences(site, visits)) >= {
            f"{down} was given up after 3 of 4 attempts",
            f"{missing} was found to be missing 2 times instead of once",
        }
