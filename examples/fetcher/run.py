"""The example itself: serve documents, fetch them, cancel the long ones, and compare."""

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from examples.common.crew import crew
from examples.common.program import Answer, temporary_home
from examples.common.screen import Screen
from examples.fetcher import documents
from examples.fetcher.check import Fetched, differences
from examples.fetcher.report import Run, answer_of
from examples.fetcher.server import serving

if TYPE_CHECKING:
    from taskito import JobResult

LONG = 5
"""How many documents take so long that their jobs are cancelled."""

ENOUGH_PERCENT = 2
"""How far a long document comes before its job is cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for.

    Attributes:
        requests: how many documents to fetch.
        seed: chooses their contents and latencies.
        keep: leave the temporary folder in place.
    """

    requests: int
    seed: int
    keep: bool


def fetch_all(options: Options, screen: Screen) -> Answer:
    """Do it all; blocks until every document is fetched or cancelled, and checked."""
    offer = documents.make(options.requests, long=min(LONG, options.requests), seed=options.seed)
    with temporary_home("fetcher", keep=options.keep) as home, serving(offer) as server:
        from examples.fetcher.tasks import AT_ONCE, fetch, queue

        screen.say("server", f"{len(offer):,} documents on {server.address}")
        with queue:
            with crew(
                app="examples.fetcher.tasks:queue",
                processes=1,
                threads=1,
                folder=home.folder,
                screen=screen,
            ) as workers:
                begin = time.monotonic()
                handles = fetch.map([f"http://{server.address}{d.path}"] for d in offer)
                jobs = {d.path: job for d, job in zip(offer, handles, strict=True)}
                long = [jobs[d.path] for d in offer if d.is_long]
                workers.finish(queue, screen, meanwhile=lambda: cancel_in_the_middle(long))
                seconds = time.monotonic() - begin
            fetched = asyncio.run(outcomes(jobs))
        tally = server.tally()
        return answer_of(
            Run(
                documents=offer,
                tally=tally,
                fetched=fetched,
                at_once=AT_ONCE,
                seconds=seconds,
                differences=differences(offer, tally, fetched, at_once=AT_ONCE),
                database=home.database if options.keep else None,
            )
        )


def cancel_in_the_middle(jobs: "list[JobResult[str]]") -> None:
    """Cancel those jobs that run and have come far enough."""
    for job in jobs:
        if job.status == "running" and (job.progress or 0) >= ENOUGH_PERCENT:
            job.cancel()


async def outcomes(jobs: "dict[str, JobResult[str]]") -> dict[str, Fetched]:
    """Await all results at once."""
    return dict(zip(jobs, await asyncio.gather(*map(outcome, jobs.values())), strict=True))


async def outcome(job: "JobResult[str]") -> Fetched:
    """Await one result, or the reason why there is none."""
    from taskito import TaskCancelledError, TaskFailedError

    checksum = None
    try:
        checksum = await job.aresult()
    except (TaskCancelledError, TaskFailedError):
        await job.arefresh()
    return Fetched(
        checksum=checksum, status=job.status, progress=job.progress, attempts=job.retry_count + 1
    )
