"""Workflows as the dashboard sees them: the jobs that one canvas stored together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from taskito_core import EngineError
from taskito_dashboard.errors import not_found

if TYPE_CHECKING:
    from taskito_core import MemberRow, Store, WorkflowRow

MOST_COUNTED = 10_000
"""Up to so many jobs of a workflow are counted in a list."""
MOST_SHOWN = 5_000
"""Up to so many jobs of a workflow are drawn and listed."""
STATUSES = ("complete", "running", "pending", "dead", "cancelled")
"""In the order of a bar: what is done comes first."""
_NAMED = 3
_PORTION = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A workflow in numbers.

    Attributes:
        id: That of its first job.
        name: Its first tasks.
        counts: Jobs by status, as far as they are counted.
        enqueued_at: When it was stored, ms since the epoch.
        started_at: When its first job started.
        finished_at: When its last job ended; ``None`` while any waits or runs.
        failed_job_id: The oldest of its dead jobs.
    """

    id: str
    name: str
    counts: dict[str, int]
    enqueued_at: int
    started_at: int | None
    finished_at: int | None
    failed_job_id: str | None

    @property
    def total(self) -> int:
        """How many jobs it has, as far as they are counted."""
        return sum(self.counts.values())

    @property
    def is_over(self) -> bool:
        """Whether nothing waits or runs."""
        return not (self.counts["pending"] or self.counts["running"])

    @property
    def status(self) -> str:
        """How it stands, in one word of a job's status; the worst counts."""
        if self.counts["dead"]:
            return "dead"
        if not self.is_over:
            return "running" if self.started_at is not None else "pending"
        return "cancelled" if self.counts["cancelled"] else "complete"

    def duration(self, now: int) -> int | None:
        """How long it runs or ran, in ms; ``None`` before it starts."""
        if self.started_at is None:
            return None
        return max(0, (now if self.finished_at is None else self.finished_at) - self.started_at)


class Member(NamedTuple):
    """One job of a workflow; a tuple, because thousands of them are made for one page.

    Attributes:
        id: Of the job.
        task: Its task.
        queue: Its queue.
        status: Its status.
        started_at: When its newest attempt began.
        completed_at: When it ended.
        has_letter: Whether it is a dead letter.
        root_id: The job that took it along.
        parents: The jobs that it waits for, those of other workflows too.
    """

    id: str
    task: str
    queue: str
    status: str
    started_at: int | None
    completed_at: int | None
    has_letter: bool = False
    root_id: str | None = None
    parents: tuple[str, ...] = ()

    def duration(self, now: int) -> int | None:
        """How long it runs or ran, in ms; ``None`` if it did not start."""
        if self.started_at is None:
            return None
        return max(0, (now if self.completed_at is None else self.completed_at) - self.started_at)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of workflows, newest first, and the id that the next one begins after."""

    rows: list[Workflow]
    next_cursor: str | None


def page_of(store: "Store", limit: int, cursor: str | None) -> Found:
    """Return a page of workflows."""
    ids = store.workflows(before=cursor, limit=limit + 1)
    rows = [_workflow(store.workflow(one, most=MOST_COUNTED), _named(store, one)) for one in ids]
    more = len(rows) > limit
    return Found(rows[:limit], rows[limit - 1].id if more and limit else None)


def one(store: "Store", workflow_id: str) -> Workflow:
    """Return one workflow.

    Raises:
        Refused: With 404, if none of its jobs is stored.
    """
    try:
        is_known = bool(store.members(workflow_id, limit=1))
    except EngineError as error:
        if error.kind != "not_found":
            raise
        is_known = False
    if not is_known:
        raise not_found(f"workflow not found: {workflow_id}", "its id is that of its first job")
    row = store.workflow(workflow_id, most=MOST_COUNTED)
    return _workflow(row, _named(store, workflow_id))


def members(store: "Store", workflow_id: str, most: int = MOST_SHOWN) -> list[Member]:
    """Return the first jobs of a workflow, each after those that it waits for."""
    rows: list[MemberRow] = []
    while len(rows) < most:
        after = rows[-1].id if rows else None
        found = store.members(workflow_id, after=after, limit=min(_PORTION, most - len(rows)))
        rows += found
        if not found:
            break
    if not rows:
        return []
    parents: dict[str, tuple[str, ...]] = {}
    for job, parent in store.ties(workflow_id, rows[0].id, rows[-1].id):
        known = parents.get(job, ())
        if parent not in known[-1:]:
            parents[job] = (*known, parent)
    return [_member(row, parents.get(row.id, ())) for row in rows]


def document(workflow: Workflow, now: int) -> dict[str, Any]:
    """Return what the API says of a workflow."""
    return {
        "id": workflow.id,
        "name": workflow.name,
        "status": workflow.status,
        "jobs": workflow.total,
        "counts": workflow.counts,
        "enqueued_at": workflow.enqueued_at,
        "started_at": workflow.started_at,
        "finished_at": workflow.finished_at,
        "duration_ms": workflow.duration(now),
        "failed_job_id": workflow.failed_job_id,
    }


def enqueued_at(identifier: str) -> int:
    """Return the instant in an id, ms since the epoch."""
    return int(identifier[:8] + identifier[9:13], 16)


def _named(store: "Store", workflow_id: str) -> str:
    rows = store.members(workflow_id, limit=4 * _NAMED)
    return name_of([row.task for row in rows])


def name_of(tasks: Sequence[str]) -> str:
    """Return a name for a workflow whose first jobs are of these tasks."""
    distinct = list(dict.fromkeys(tasks))
    more = ", …" if len(distinct) > _NAMED else ""
    return f"{', '.join(distinct[:_NAMED])}{more}"


def _workflow(row: "WorkflowRow", name: str) -> Workflow:
    counts = {
        "complete": row.complete,
        "running": row.running,
        "pending": row.pending,
        "dead": row.dead,
        "cancelled": row.cancelled,
    }
    return Workflow(
        id=row.id,
        name=name,
        counts=counts,
        enqueued_at=enqueued_at(row.id),
        started_at=row.started_at,
        finished_at=None if row.pending or row.running else row.finished_at,
        failed_job_id=row.failed_id,
    )


def _member(row: "MemberRow", parents: tuple[str, ...]) -> Member:
    return Member(
        row.id,
        row.task,
        row.queue,
        row.status,
        row.started_at,
        row.completed_at,
        row.is_letter,
        row.root_id,
        parents,
    )
