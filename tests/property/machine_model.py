"""What a queue should do, in plain Python: the oracle of ``test_machine.py``. Long: every verb.

It knows nothing of the engine. Where the contract leaves a choice (which of two queues has its
turn, when the janitor comes by), it says what is allowed and is then told what happened.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

RETRY_DELAYS_MS = (5_000, 20_000)
SNOOZE_MS = 7_000
ASKED_WAIT_MS = 3_000
CAPACITY, REFILL_MS = 2, 30_000
"""The rate of the limited task: "2/m"."""
SWEEP_MS = 60_000
"""A job that outlived its time to live by that much is gone."""

FINAL = {"complete", "dead", "cancelled"}


@dataclass(slots=True, kw_only=True)
class Order:
    """What somebody asks for.

    Attributes:
        task: ``plain``, or ``limited`` to two starts a minute for each limit key.
        plan: what each attempt does, one word each; the last one repeats.
    """

    task: str = "plain"
    plan: tuple[str, ...] = ("ok",)
    queue: str = "default"
    priority: int = 0
    delay_ms: int = 0
    max_retries: int = 1
    unique_key: str | None = None
    idempotency_key: str | None = None
    limit_key: str | None = None
    expires_ms: int | None = None
    ttl_ms: int | None = None


@dataclass(slots=True, kw_only=True)
class Job:
    """A job as it should be.

    Attributes:
        due: when it may start; means nothing while it waits for parents.
        waits_for: ids of parents that are not complete.
        errors: how many failed attempts are on record.
        error: how the text of its error begins.
        has_letter: whether it is among the dead letters.
    """

    id: str
    number: int
    order: Order
    due: int
    expires_at: int | None
    parents: tuple[str, ...] = ()
    waits_for: set[str] = field(default_factory=set[str])
    status: str = "pending"
    retries: int = 0
    runs: int = 0
    errors: int = 0
    error: str | None = None
    ended_at: int | None = None
    has_letter: bool = False

    @property
    def next_word(self) -> str:
        return self.order.plan[min(self.runs, len(self.order.plan) - 1)]

    def is_late(self, now: int) -> bool:
        return self.expires_at is not None and self.expires_at <= now


@dataclass(slots=True)
class Bucket:
    """Tokens for starts, counted in milliseconds."""

    full_at: int = 0

    def has_one(self, now: int) -> bool:
        return max(0, self.full_at - now) <= (CAPACITY - 1) * REFILL_MS

    def take(self, now: int) -> None:
        self.full_at = max(self.full_at, now) + REFILL_MS


class Model:
    """All jobs of one queue object, by id.

    Attributes:
        jobs: those that exist.
        paused: names of queues.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self.paused: set[str] = set()
        self._buckets: dict[str | None, Bucket] = {}
        self._number = 0

    # Producers

    def existing(self, order: Order) -> Job | None:
        """The job that is returned instead of a new one."""
        for job in self.jobs.values():
            key = job.order.idempotency_key
            if key is not None and (key, job.order.task) == (order.idempotency_key, order.task):
                return job
        for job in self.jobs.values():
            key = job.order.unique_key
            if key is not None and key == order.unique_key and job.status == "pending":
                return job
        return None

    def add(self, job_id: str, order: Order, now: int, parents: Iterable[str] = ()) -> Job:
        """A job was stored; its parents exist."""
        self._number += 1
        job = Job(
            id=job_id,
            number=self._number,
            order=order,
            due=now + order.delay_ms,
            expires_at=None if order.expires_ms is None else now + order.expires_ms,
            parents=tuple(dict.fromkeys(parents)),
        )
        self.jobs[job_id] = job
        ends = [self.jobs[parent] for parent in job.parents]
        for parent in ends:
            if parent.status in {"dead", "cancelled"}:
                self._end(job, "cancelled", now, f"dependency {self._word_for(parent)}: ")
                return job
        job.waits_for = {parent.id for parent in ends if parent.status != "complete"}
        return job

    @staticmethod
    def _word_for(parent: Job) -> str:
        if parent.status == "dead" or (parent.error or "").startswith("dependency failed"):
            return "failed"
        return "cancelled"

    # Workers

    def eligible(self, now: int) -> list[Job]:
        """What may start now."""
        return [
            job
            for job in self.jobs.values()
            if job.status == "pending"
            and not job.waits_for
            and job.due <= now
            and not job.is_late(now)
            and job.order.queue not in self.paused
            and (job.order.task == "plain" or self._bucket(job).has_one(now))
        ]

    def heads(self, now: int) -> set[str]:
        """What may start next: the first of each queue."""
        found: dict[str, Job] = {}
        for job in sorted(self.eligible(now), key=lambda j: (-j.order.priority, j.due, j.number)):
            found.setdefault(job.order.queue, job)
        return {job.id for job in found.values()}

    def run(self, job_id: str, now: int) -> None:
        """This job was run, and did what its plan says."""
        job = self.jobs[job_id]
        if job.order.task == "limited":
            self._bucket(job).take(now)
        word = job.next_word
        job.runs += 1
        match word:
            case "ok" | "ok though asked to stop":
                self._complete(job, now)
            case "snooze":
                job.due = now + SNOOZE_MS
            case "cancel":
                self._end_with_all(job, "cancelled", now, "cancelled by task")
            case "fail when asked to stop" if job.retries < job.order.max_retries:
                job.errors += 1
                self._end_with_all(job, "cancelled", now, "cancelled by request")
            case "fail when asked to stop":
                self._fail(job, now, None)
            case "fail":
                wait = RETRY_DELAYS_MS[min(job.retries, len(RETRY_DELAYS_MS) - 1)]
                self._fail(job, now, wait)
            case "retry":
                self._fail(job, now, ASKED_WAIT_MS)
            case "fatal":
                self._fail(job, now, None)
            case _:
                raise AssertionError(word)

    def _bucket(self, job: Job) -> Bucket:
        return self._buckets.setdefault(job.order.limit_key, Bucket())

    def _complete(self, job: Job, now: int) -> None:
        self._end(job, "complete", now, None)
        for child in self.jobs.values():
            if job.id in child.waits_for and child.status == "pending":
                child.waits_for.remove(job.id)
                child.due = now + child.order.delay_ms

    def _fail(self, job: Job, now: int, wait: int | None) -> None:
        job.errors += 1
        if wait is not None and job.retries < job.order.max_retries:
            job.retries += 1
            job.due = now + wait
        else:
            job.has_letter = True
            self._end_with_all(job, "dead", now, "")

    # Operators

    def cancel(self, job_id: str, now: int) -> bool:
        job = self.jobs[job_id]
        if job.status != "pending":
            return False
        self._end_with_all(job, "cancelled", now, None)
        return True

    def revive(self, dead: Job, job_id: str, now: int) -> None:
        """A new job with the settings of a dead one, whose letter is gone."""
        dead.has_letter = False
        order = dead.order
        self.add(
            job_id,
            Order(
                task=order.task,
                plan=order.plan,
                queue=order.queue,
                priority=order.priority,
                max_retries=order.max_retries,
                limit_key=order.limit_key,
                ttl_ms=order.ttl_ms,
            ),
            now,
        )

    def replay(self, source: Job, job_id: str, now: int) -> None:
        """The same for a job in any state, which stays as it is."""
        letter = source.has_letter
        self.revive(source, job_id, now)
        source.has_letter = letter

    def purge(self, status: str, before: int) -> int:
        """Delete what ended like this before that time; how many."""
        doomed = [
            job
            for job in self.jobs.values()
            if job.status == status and job.ended_at is not None and job.ended_at < before
        ]
        doomed = [job for job in doomed if not self.is_needed(job)]
        for job in doomed:
            self.delete(job)
        return len(doomed)

    def delete(self, job: Job) -> None:
        """A finished job goes, with what it says about others."""
        del self.jobs[job.id]
        for other in self.jobs.values():
            other.parents = tuple(parent for parent in other.parents if parent != job.id)

    def is_needed(self, job: Job) -> bool:
        """Whether an unfinished job depends on it."""
        return any(job.id in other.parents for other in self.jobs.values() if not other.ended_at)

    # Time

    def expire(self, job: Job, now: int) -> None:
        """The janitor, or a claim, came by."""
        assert job.is_late(now)
        self._end_with_all(job, "cancelled", now, "expired before execution")

    def outlived(self, now: int, by: int = 0) -> Iterator[Job]:
        """Jobs whose time to live has been over for so long, and that nobody needed since."""
        for job in self.jobs.values():
            ttl = job.order.ttl_ms
            if ttl is None or job.ended_at is None or self.is_needed(job):
                continue
            children = (other for other in self.jobs.values() if job.id in other.parents)
            free = max((child.ended_at or now for child in children), default=0)
            if max(job.ended_at + ttl, free) + by <= now:
                yield job

    def _end_with_all(self, job: Job, status: str, now: int, error: str | None) -> None:
        """It ends, and whatever depends on it, directly or not, is cancelled with it."""
        self._end(job, status, now, error)
        word = "failed" if status == "dead" else "cancelled"
        taken = {job.id}
        while children := [
            child
            for child in self.jobs.values()
            if child.status == "pending" and taken & child.waits_for
        ]:
            for child in children:
                self._end(child, "cancelled", now, f"dependency {word}: {job.id}")
                taken.add(child.id)

    @staticmethod
    def _end(job: Job, status: str, now: int, error: str | None) -> None:
        job.status, job.ended_at, job.error = status, now, error
