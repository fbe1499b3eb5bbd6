"""The example itself: make up sales, run the pipeline, mend what was broken, compare."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from examples.common.crew import Crew, crew
from examples.common.program import Answer, temporary_home
from examples.common.screen import Screen
from examples.pipeline.check import differences
from examples.pipeline.report import Outcome, Pipeline, answer_of
from examples.pipeline.sales import Shop

if TYPE_CHECKING:
    from taskito import Queue

THREADS = 4
"""How many jobs each worker runs at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line asks for.

    Attributes:
        shops: how many shops there are.
        sales: how many sales each of them made.
        broken: how many send a broken file first.
        seed: chooses the sales.
        workers: how many worker processes there are.
        keep: leave the temporary folder in place.
    """

    shops: int
    sales: int
    broken: int
    seed: int
    workers: int
    keep: bool


def report(options: Options, screen: Screen) -> Answer:
    """Do it all; blocks until the reports are there and checked."""
    with temporary_home("pipeline", keep=options.keep) as home:
        from examples.pipeline.tasks import queue

        names = [f"shop-{number:02}" for number in range(options.shops)]
        shops = [Shop(name, options.sales, options.seed) for name in names]
        screen.say("sales", f"{len(shops):,} shops, {options.sales:,} sales each")
        sources, target = home.folder / "sales", home.folder / "reports"
        target.mkdir()
        with (
            queue,
            crew(
                app="examples.pipeline.tasks:queue",
                processes=options.workers,
                threads=THREADS,
                folder=home.folder,
                screen=screen,
            ) as workers,
        ):
            arrived = [
                shop.send(sources, broken=number < options.broken)
                for number, shop in enumerate(shops)
            ]
            outcomes = [_run(queue, workers, screen, (arrived, target))]
            if options.broken:
                for shop in shops[: options.broken]:
                    shop.send(sources, broken=False)
                outcomes.append(_run(queue, workers, screen, (arrived, target)))
            cleaned = _cleaned(queue)
        return answer_of(
            Pipeline(
                sales=options.shops * options.sales,
                outcomes=outcomes,
                reports=target,
                differences=differences(shops, outcomes[-1].manifest, cleaned),
                database=home.database if options.keep else None,
            )
        )


def _run(
    queue: "Queue", workers: Crew, screen: Screen, files: tuple[Iterable[Path], Path]
) -> Outcome:
    """Start the workflow, wait until nothing is left of it to do, and see what it came to."""
    from examples.pipeline.tasks import start
    from taskito import DependencyFailedError

    begin, before = time.monotonic(), queue.stats()
    job = start(*files)
    workers.finish(queue, screen)
    after = queue.stats()
    manifest, culprit = None, None
    try:
        manifest = Path(job.result(timeout=0))
    except DependencyFailedError as error:
        root = queue.get_job(error.root_id)
        culprit = f"{root.metadata if root else error.root_id}: {_last_line(error.__cause__)}"
    return Outcome(
        seconds=time.monotonic() - begin,
        jobs=sum(after.values()) - sum(before.values()),
        dead=after["dead"] - before["dead"],
        cancelled=after["cancelled"] - before["cancelled"],
        manifest=manifest,
        culprit=culprit,
    )


def _cleaned(queue: "Queue") -> Counter[str]:
    """How often the file of each shop was cleaned to the end."""
    from examples.pipeline.tasks import clean

    total = queue.stats()["completed"]
    jobs = queue.list_jobs("complete", task_name=clean.name, limit=total)
    return Counter(job.metadata or "" for job in jobs)


def _last_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else "no reason is recorded"
