"""The end of the run: a table for people, one document for programs."""

from collections.abc import Iterator
from dataclasses import dataclass

from examples.common.program import Answer
from examples.common.screen import Paint
from examples.fetcher.check import Fetched
from examples.fetcher.documents import Document
from examples.fetcher.server import Tally

LISTED_AT_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Everything that a run found out.

    Attributes:
        documents: what the server had.
        tally: what it counted.
        fetched: what became of the job of each document.
        at_once: how many requests were allowed at once.
        seconds: how long it took.
        differences: what is not as it must be.
        database: the queue's file if it is still there, else ``None``.
    """

    documents: list[Document]
    tally: Tally
    fetched: dict[str, Fetched]
    at_once: int
    seconds: float
    differences: list[str]
    database: str | None

    @property
    def complete(self) -> list[Document]:
        """The documents that were fetched."""
        return [d for d in self.documents if self.fetched[d.path].status == "complete"]

    @property
    def cancelled(self) -> dict[str, int | None]:
        """How far the jobs were that were cancelled, in per cent."""
        return {p: f.progress for p, f in self.fetched.items() if f.status == "cancelled"}

    @property
    def latency_s(self) -> float:
        """How long the server took before it answered, in all."""
        return sum(document.latency_s for document in self.documents)


def answer_of(run: Run) -> Answer:
    """Return what the command prints."""
    problem = None
    if run.differences:
        problem = f"{len(run.differences):,} things are wrong, first: {run.differences[0]}"
    return Answer(
        document={
            "complete": len(run.complete),
            "bytes": sum(document.length for document in run.complete),
            "cancelled": run.cancelled,
            "requests": run.tally.requests,
            "peak": run.tally.peak,
            "seconds": round(run.seconds, 3),
            "latency_s": round(run.latency_s, 3),
            "check": {"agrees": not run.differences, "differences": run.differences},
            "database": run.database,
        },
        table=lambda paint: _rows(run, paint),
        problem=problem,
    )


def _rows(run: Run, paint: Paint) -> Iterator[tuple[str, list[str]]]:
    megabytes = sum(document.length for document in run.complete) / 1e6
    yield "fetched", [f"{len(run.complete):,} documents, {megabytes:,.1f} MB"]
    one_by_one = f"waiting for one after the other takes {run.latency_s:,.0f} s"
    yield "time", [f"{run.seconds:.1f} s with one thread; {one_by_one}"]
    yield "at once", [f"{run.tally.peak} requests, as the server counts; {run.at_once} allowed"]
    shown = ", ".join(f"{progress} %" for progress in run.cancelled.values())
    closed = f"{len(run.tally.broken_off)} connections closed"
    yield "cancelled", [f"{len(run.cancelled)} while they ran, at {shown or 'no time'}; {closed}"]
    yield "check", _check_rows(run, paint)
    if run.database:
        yield "kept", [run.database, f"look inside: taskito info --db {run.database}"]


def _check_rows(run: Run, paint: Paint) -> list[str]:
    if not run.differences:
        return [paint.green("✓ every checksum is right, and each document was asked for once")]
    rows = [paint.red(f"✗ {len(run.differences):,} things are wrong")]
    return [*rows, *run.differences[:LISTED_AT_MOST]]
