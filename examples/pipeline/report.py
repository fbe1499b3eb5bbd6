"""The end of the pipeline: a table for people, one document for programs."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from examples.common.program import Answer
from examples.common.screen import Paint

LISTED_AT_MOST = 8
TOP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run of the workflow came to.

    Attributes:
        seconds: how long it took.
        jobs: how many jobs it stored.
        dead: how many of them failed for good.
        cancelled: how many were cancelled because of those.
        manifest: what it published, or ``None``.
        culprit: who is to blame if it published nothing.
    """

    seconds: float
    jobs: int
    dead: int
    cancelled: int
    manifest: Path | None
    culprit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Everything that the example found out.

    Attributes:
        sales: how many there are.
        outcomes: of each run.
        reports: the folder with the reports.
        differences: what is not as it must be.
        database: the queue's file if it is still there, else ``None``.
    """

    sales: int
    outcomes: list[Outcome]
    reports: Path
    differences: list[str]
    database: str | None

    def report(self, name: str) -> dict[str, int]:
        """Return a report as it was written; empty if there is none."""
        path = self.reports / f"by-{name}.csv"
        if not path.exists():
            return {}
        with path.open(newline="") as file:
            return {row[name]: int(row["cents"]) for row in csv.DictReader(file)}


def answer_of(pipeline: Pipeline) -> Answer:
    """Return what the command prints."""
    problem = None
    if pipeline.differences:
        first = pipeline.differences[0]
        problem = f"{len(pipeline.differences):,} things are wrong, first: {first}"
    reports = {name: pipeline.report(name) for name in ("product", "day", "shop")}
    return Answer(
        document={
            "sales": pipeline.sales,
            "runs": [
                {
                    "jobs": outcome.jobs,
                    "dead": outcome.dead,
                    "cancelled": outcome.cancelled,
                    "published": outcome.manifest is not None,
                    "culprit": outcome.culprit,
                    "seconds": round(outcome.seconds, 3),
                }
                for outcome in pipeline.outcomes
            ],
            "reports": reports,
            "check": {"agrees": not pipeline.differences, "differences": pipeline.differences},
            "database": pipeline.database,
        },
        table=lambda paint: _rows(pipeline, reports, paint),
        problem=problem,
    )


def _rows(
    pipeline: Pipeline, reports: dict[str, dict[str, int]], paint: Paint
) -> Iterator[tuple[str, list[str]]]:
    for number, outcome in enumerate(pipeline.outcomes, start=1):
        yield f"run {number}", _outcome_rows(outcome, paint)
    for name, rows in reports.items():
        shown = [f"{key} {cents / 100:,.2f}" for key, cents in list(rows.items())[:TOP]]
        yield f"by {name}", [" · ".join(shown) or "no report"]
    yield "check", _check_rows(pipeline, paint)
    if pipeline.database:
        yield "kept", [str(pipeline.reports), f"taskito info --db {pipeline.database}"]


def _outcome_rows(outcome: Outcome, paint: Paint) -> list[str]:
    jobs = f"{outcome.jobs:,} jobs stored, {outcome.seconds:.1f} s"
    if outcome.culprit is None:
        return [paint.green(f"published: {jobs}")]
    return [
        paint.yellow(f"cancelled: {jobs}, {outcome.dead:,} dead, {outcome.cancelled:,} cancelled"),
        f"because of {outcome.culprit}",
    ]


def _check_rows(pipeline: Pipeline, paint: Paint) -> list[str]:
    if not pipeline.differences:
        text = f"✓ the reports add up to all {pipeline.sales:,} sales; no file was cleaned twice"
        return [paint.green(text)]
    rows = [paint.red(f"✗ {len(pipeline.differences):,} things are wrong")]
    return [*rows, *pipeline.differences[:LISTED_AT_MOST]]
