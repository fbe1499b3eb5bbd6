"""The example itself: serve a web, crawl it, and compare."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.common.crew import crew
from examples.common.program import Answer, temporary_home
from examples.common.screen import Screen
from examples.scraper.check import Visit, differences
from examples.scraper.report import Crawl, answer_of
from examples.scraper.server import serving

if TYPE_CHECKING:
    from taskito import Queue

THREADS = 4
"""How many jobs each worker runs at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for.

    Attributes:
        pages: how many pages the web has.
        seed: chooses its words and links.
        workers: how many worker processes crawl it.
        keep: leave the temporary folder in place.
    """

    pages: int
    seed: int
    workers: int
    keep: bool


def crawl(options: Options, screen: Screen) -> Answer:
    """Do it all; blocks until every page is visited and checked."""
    with (
        temporary_home("scraper", keep=options.keep) as home,
        serving(options.pages, options.seed) as site,
    ):
        from examples.scraper.tasks import enqueue, queue

        screen.say("web", f"{options.pages:,} pages on {' and '.join(site.hosts)}")
        with (
            queue,
            crew(
                app="examples.scraper.tasks:queue",
                processes=options.workers,
                threads=THREADS,
                folder=home.folder,
                screen=screen,
            ) as workers,
        ):
            begin = time.monotonic()
            enqueue([site.web.start], site.hosts)
            workers.finish(queue, screen)
            seconds = time.monotonic() - begin
            visits = dict(_visits(queue))
        return answer_of(
            Crawl(
                site=site,
                visits=visits,
                seconds=seconds,
                differences=differences(site, visits),
                database=home.database if options.keep else None,
            )
        )


def _visits(queue: "Queue") -> Iterator[tuple[str, Visit]]:
    """Read back what became of every job."""
    for job in queue.list_jobs(limit=sum(queue.stats().values())):
        visit = Visit(
            page=job.result(timeout=0) if job.status == "complete" else None,
            failures=tuple(error["error"].strip().splitlines()[-1] for error in job.errors),
            max_attempts=job.max_retries + 1,
        )
        yield job.metadata or "", visit
