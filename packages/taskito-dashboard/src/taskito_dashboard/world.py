"""What the rules of the overview look at: facts of one moment."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from taskito_dashboard import words

if TYPE_CHECKING:
    from taskito_core import GroupRow

NEW_MS = 3_600_000
"""A failure that came up within this is new, if nobody marked a deployment lately."""
MARK_MS = 86_400_000
"""A mark is that of the last deployment for so long."""
CLOCK_MS = 60_000
"""Clocks that differ by more are told of."""
WINDOW_MS = 300_000
"""What growth of the backlog is measured over, and what was done."""
_SHORTEST_MS = 60_000
_EVERY_MS = 5_000
_TITLE = 160
_JUDGED = ("silenced", "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How what waits grows or shrinks.

    Attributes:
        waiting: How many jobs wait.
        done: How many attempts succeeded in the last five minutes.
        growth: By how many jobs the backlog grows each minute, negative while it shrinks;
            ``None`` while that is not known.
        arrived_per_minute: How many jobs are stored in a minute.
    """

    waiting: int
    done: int
    growth: float | None
    arrived_per_minute: float = 0.0

    @property
    def done_per_minute(self) -> float:
        """Attempts that succeed in a minute."""
        return self.done * 60_000 / WINDOW_MS

    @property
    def drains(self) -> str:
        """When nothing will wait any more, in words; empty when nothing waits now."""
        if not self.waiting:
            return ""
        if self.growth is None:
            if not self.done:
                return f"nothing done in {words.duration(WINDOW_MS)}"
            work = words.duration(60_000 * self.waiting / self.done_per_minute)
            return f"{work} of work at {words.count(round(self.done_per_minute))} / min"
        if self.growth < 0:
            return f"drains in {words.duration(60_000 * self.waiting / -self.growth)}"
        return "never drains at this rate"


class Backlog:
    """What waited in the last minutes, as far as somebody looked."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, int]] = deque()

    def growth(self, now: int, waiting: int) -> float | None:
        """Note what waits now; return by how much that grows each minute.

        ``None`` until there is something a minute old to compare with.
        """
        seen = self._seen
        # Set clocks back: what was seen in the future tells nothing.
        if seen and seen[-1][0] > now:
            seen.clear()
        if not seen or now - seen[-1][0] >= _EVERY_MS:
            seen.append((now, waiting))
        while len(seen) > 1 and now - seen[1][0] >= WINDOW_MS:
            seen.popleft()
        at, before = seen[0]
        if now - at < _SHORTEST_MS or now - at > 2 * WINDOW_MS:
            return None
        return (waiting - before) * 60_000 / (now - at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Jobs of one task that failed alike: a group of failures.

    Attributes:
        fingerprint: The name of the group.
        task: The task.
        title: The class of the exception and what it said, without what varies.
        dead: How many jobs died of it.
        retrying: How many are unfinished.
        first_at: When the first attempt failed like this.
        last_at: When the last one did.
        is_new: Whether nothing failed like this before the last deployment or hour.
    """

    fingerprint: str
    task: str
    title: str
    dead: int
    retrying: int
    first_at: int
    last_at: int
    is_new: bool

    @property
    def count(self) -> int:
        """How many jobs there are."""
        return self.dead + self.retrying


def failures(groups: "Iterable[GroupRow]", mark: int | None, *, now: int) -> list[Failure]:
    """Return open groups as failures, that with most jobs first.

    Args:
        groups: Of failures; those that people silenced or resolved are passed over.
        mark: When somebody last marked a deployment within the last day; what failed first since
            then is new, else what did so within the last hour.
        now: The present, ms since the epoch.
    """
    since = now - NEW_MS if mark is None else mark
    found = [
        Failure(
            fingerprint=group.fingerprint,
            task=group.task,
            title=_cut(f"{group.error_type}: {group.template}".removesuffix(": ")),
            dead=group.dead,
            retrying=group.retrying,
            first_at=group.first_seen,
            last_at=group.last_seen,
            is_new=group.first_seen >= since,
        )
        for group in groups
        if group.state not in _JUDGED
    ]
    return sorted(found, key=lambda failure: -failure.count)


def _cut(title: str) -> str:
    return title if len(title) <= _TITLE else f"{title[: _TITLE - 1]}…"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the rules look at.

    Attributes:
        now: The present, ms since the epoch.
        queues: As :meth:`taskito.Queue.list_queues`.
        workers: As :meth:`taskito.Queue.workers`.
        waiting: How many jobs wait, by task; of tasks that are known to have some.
        breakers: As :meth:`taskito.Queue.circuit_breakers`.
        schedules: As :meth:`taskito.Queue.list_periodic`.
        running: ``id``, ``started_at`` and ``timeout_ms`` of jobs that run.
        lately: ``count`` and ``failure_count`` of the attempts of the last 15 minutes, by task.
        day: The same of the last 24 hours.
        failures: The open groups of failures, that with most jobs first.
        mark: What was marked last within a day, as a deployment.
        ready: How many jobs are due, by queue, where that is known.
        trends: When nothing waits any more in queues where jobs are late, in words.
        flow: How the backlog grows or shrinks, if that was looked at.
        keeps_all: Whether finished jobs are never deleted; ``False`` if that is not known.
        log_size: Bytes of the write-ahead log, if known.
        log_readers: Who keeps a long one from beginning anew, as far as is known.
        free: Bytes left on the disk, if known.
        network: The kind of network file system the database lies on, if it does.
        version: Of taskito in this process.
    """

    now: int
    queues: Sequence[Mapping[str, Any]]
    workers: Sequence[Mapping[str, Any]]
    waiting: Mapping[str, int]
    breakers: Sequence[Mapping[str, Any]]
    schedules: Sequence[Mapping[str, Any]]
    running: Sequence[Mapping[str, Any]]
    lately: Mapping[str, Mapping[str, Any]]
    day: Mapping[str, Mapping[str, Any]]
    failures: Sequence[Failure] = ()
    mark: str | None = None
    ready: Mapping[str, int] = field(default_factory=dict[str, int])
    trends: Mapping[str, str] = field(default_factory=dict[str, str])
    flow: Flow | None = None
    keeps_all: bool = False
    log_size: int | None
    log_readers: Sequence[str]
    free: int | None
    network: str | None = None
    version: str

    @property
    def live(self) -> list[Mapping[str, Any]]:
        """Workers that take jobs."""
        return [worker for worker in self.workers if worker["status"] == "active"]

    @property
    def pending(self) -> int:
        """How many jobs wait."""
        return sum(queue["pending"] for queue in self.queues)

    def waiting_in(self, queue: Mapping[str, Any]) -> int:
        """How many jobs of a queue are due, or wait for whatever if that is not known."""
        known: int = queue["pending"]
        return self.ready.get(queue["name"], known)

    @property
    def finished(self) -> int:
        """How many jobs have ended and are still stored."""
        ends = ("completed", "dead", "cancelled")
        return sum(queue[status] for queue in self.queues for status in ends)

    @property
    def slots(self) -> int:
        """How many jobs can run at once."""
        return sum(worker["concurrency"] for worker in self.live)

    @property
    def oldest_due_at(self) -> int | None:
        """Since when the oldest due job waits."""
        due = [queue["oldest_due_at"] for queue in self.queues]
        return min((at for at in due if at is not None), default=None)
