"""What is killed: a process that produces jobs, runs them, or does both, until it dies.

Every job's token is its metadata and its idempotency key, and says what kind of job it is:
``KIND:PROCESS/NUMBER``. Each leaves marks outside of the product, of its try, acknowledgement,
starts and ends.
"""

import os
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, groupby
from pathlib import Path
from typing import Any, Literal

from taskito import CloudpickleSerializer, JobResult, Queue, TaskMiddleware, current_job
from tests.crash.cycles import moments
from tests.crash.cycles.moments import PRODUCERS, WORKERS, Role
from tests.e2e.programs.marks import Marks
from tests.support.traps import Trap

KINDS = ["note"] * 9 + ["work"] * 4 + ["falter"] * 2 + ["later"] * 2 + ["batch", "parent"]
"""How often which kind is produced."""

BATCH = 5
MOST_PENDING = 150
"""Producers wait at this length of the queue, so that a recovered job finds a free slot soon."""


class TrappedSerializer(CloudpickleSerializer):
    """The default one; a process may die in it. Arguments are tuples, results are text."""

    def __init__(self, trap: Trap) -> None:
        super().__init__()
        self._trap = trap

    def dumps(self, obj: Any) -> bytes:
        self._trap.reach(moments.DUMPING if isinstance(obj, tuple) else moments.RETURNING)
        return super().dumps(obj)

    def loads(self, data: bytes) -> Any:
        self._trap.reach(moments.LOADING)
        return super().loads(data)


class TrappedMiddleware(TaskMiddleware):
    """Hooks in which a process may die."""

    def __init__(self, trap: Trap) -> None:
        self._trap = trap

    def before(self, ctx: object) -> None:
        _ = ctx
        self._trap.reach(moments.BEFORE)

    def on_success(self, ctx: object, result: object) -> None:
        _ = ctx, result
        self._trap.reach(moments.SUCCEEDED)

    def after(self, ctx: object, result: object, error: BaseException | None) -> None:
        _ = ctx, result, error
        self._trap.reach(moments.AFTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Victim:
    """One process to be.

    Attributes:
        name: unique among all of a campaign.
        role: what it does.
        database: where.
        durability: how.
        marks: what its jobs leave behind.
        trap: how it dies, if not from outside.
        resume: tokens that a predecessor tried to enqueue and did not acknowledge.
        has_hooks: whether middleware surrounds its jobs.
    """

    name: str
    role: Role
    database: Path
    durability: Literal["full", "normal"]
    marks: Marks
    trap: Trap
    resume: Sequence[str] = ()
    has_hooks: bool = False

    def live(self) -> None:
        """Produce and work until killed; a worker also returns when it is told to stop."""
        self.trap.set_up(self.database)
        queue = Queue(
            self.database,
            workers=2,
            durability=self.durability,
            serializer=TrappedSerializer(self.trap),
            middleware=[TrappedMiddleware(self.trap)] if self.has_hooks else None,
        )
        if self.role in WORKERS:
            self._register(queue)
        if self.role is Role.PRODUCER:
            queue.stats()
            self.trap.report_up()
            self._produce(queue)
        if self.role in PRODUCERS:
            threading.Thread(target=self._produce, args=(queue,), daemon=True).start()
        threading.Thread(target=self._report_worker, args=(queue,), daemon=True).start()
        queue.run_worker()

    def _report_worker(self, queue: Queue) -> None:
        """The trap is ready once the worker has been seen on the roster, by its first job."""
        while not any(row["pid"] == os.getpid() for row in queue.workers()):
            time.sleep(0.005)
        self.trap.report_up()

    def _register(self, queue: Queue) -> None:
        marks, trap = self.marks, self.trap

        @queue.task(name="note")
        def note(token: str) -> str:
            marks.leave("start", token)
            trap.reach(moments.RUNNING)
            marks.leave("end", token)
            return token

        @queue.task(name="work")
        def work(token: str) -> str:
            marks.leave("start", token)
            time.sleep(random.uniform(0.001, 0.03))
            trap.reach(moments.RUNNING)
            marks.leave("end", token)
            return token

        @queue.task(name="falter", retry_backoff=0.01)
        def falter(token: str) -> str:
            marks.leave("start", token)
            if current_job.retry_count == 0:
                raise ValueError("the first attempt fails")
            marks.leave("end", token)
            return token

        _ = note, work, falter

    def _produce(self, queue: Queue) -> None:
        for tokens in in_batches(self.resume):
            self._enqueue(queue, tokens)
        for number in count():
            for tokens in calls_of(random.choice(KINDS), f"{self.name}/{number}"):
                self._enqueue(queue, tokens)
            time.sleep(random.uniform(0, 0.004))
            while number % 16 == 0 and queue.stats()["pending"] > MOST_PENDING:
                time.sleep(0.01)

    def _enqueue(self, queue: Queue, tokens: Sequence[str]) -> None:
        for token in tokens:
            self.marks.leave("try", token)
        if not tokens[0].startswith("batch:"):
            self._acknowledge(tokens[0], enqueue(queue, tokens[0]))
            return
        options = [{"metadata": token, "idempotency_key": token} for token in tokens]
        jobs = queue.enqueue_many("note", [(token,) for token in tokens], options_list=options)
        were_there = {job.deduplicated for job in jobs}
        # They are acknowledged in order: what lacks its first one was stored before, as a whole.
        if were_there == {True, False} or (False in were_there and not tokens[0].endswith("/0")):
            self.marks.leave("torn", " ".join(tokens))
        for token, job in zip(tokens, jobs, strict=True):
            self._acknowledge(token, job)

    def _acknowledge(self, token: str, job: JobResult[Any]) -> None:
        self.trap.reach(moments.ENQUEUED)
        self.marks.leave("was there" if job.deduplicated else "ack", token, job.id)


def calls_of(kind: str, name: str) -> Iterator[Sequence[str]]:
    """The tokens of each call that enqueues: one, those of a batch, a parent and then its child."""
    if kind == "batch":
        yield [f"batch:{name}/{number}" for number in range(BATCH)]
        return
    yield [f"{kind}:{name}"]
    if kind == "parent":
        yield [f"child:{name}"]


def in_batches(tokens: Sequence[str]) -> Iterator[Sequence[str]]:
    """The same calls for tokens that were tried before."""
    for name, call in groupby(tokens, lambda token: token.rpartition("/")[0]):
        if name.startswith("batch:"):
            yield list(call)
        else:
            yield from ([token] for token in call)


def enqueue(queue: Queue, token: str) -> JobResult[Any]:
    """Enqueue one job, as often as one likes: it is stored once."""
    kind, _, name = token.partition(":")
    return queue.enqueue(
        kind if kind in {"work", "falter"} else "note",
        [token],
        metadata=token,
        idempotency_key=token,
        delay=random.uniform(0.02, 0.2) if kind == "later" else None,
        depends_on=enqueue(queue, f"parent:{name}") if kind == "child" else None,
    )
