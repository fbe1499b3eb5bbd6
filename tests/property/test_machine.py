"""Random programs, each step compared with a model in plain Python. Long: a rule for each verb.

``pytest tests/property --hypothesis-profile=long`` tries ten times as many.
"""

import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from taskito import Cancel, DependencyError, JobResult, Queue, Retry, Snooze, current_job
from taskito.testing._manual import manual_worker
from tests.property.machine_model import (
    ASKED_WAIT_MS,
    RETRY_DELAYS_MS,
    SNOOZE_MS,
    SWEEP_MS,
    Job,
    Model,
    Order,
)

QUEUES = st.sampled_from(["default", "default", "other"])
KEYS = st.sampled_from([None, None, None, None, "a", "b"])
WORDS = st.sampled_from(
    [
        "ok",
        "ok",
        "fail",
        "fatal",
        "retry",
        "snooze",
        "cancel",
        "ok though asked to stop",
        "fail when asked to stop",
    ]
)
ORDERS = st.builds(
    Order,
    task=st.sampled_from(["plain", "plain", "plain", "limited"]),
    plan=st.lists(WORDS, min_size=1, max_size=3).map(tuple),
    queue=QUEUES,
    priority=st.sampled_from([0, 0, 0, 0, 5, -5]),
    delay_ms=st.sampled_from([0, 0, 2_000, 10_000]),
    max_retries=st.sampled_from([0, 1, 2]),
    unique_key=KEYS,
    idempotency_key=KEYS,
    limit_key=KEYS,
    expires_ms=st.sampled_from([*[None] * 8, 0, 15_000]),
    ttl_ms=st.sampled_from([None, None, 20_000]),
)
PICK = st.integers(0, 99)
WAITS = st.sampled_from([0, 1, 3, 5, 7, 20, 30, 61])
OPERATIONS = [
    *("cancel", "cancel", "pause", "resume", "resume", "replay", "revive", "revive_all"),
    *("purge", "purge_dead_letters", "depend_on_what_is_not_there"),
]


@contextmanager
def silence(logger: str) -> Generator[None]:
    """Jobs fail by the hundred here."""
    before = logging.getLogger(logger).level
    logging.getLogger(logger).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logging.getLogger(logger).setLevel(before)


def act(word: str, queue: Queue) -> str:
    """Do in a job what its plan says."""
    if "asked" in word:
        assert queue.cancel_running_job(current_job.id)
    match word:
        case "ok" | "ok though asked to stop":
            return current_job.id
        case "snooze":
            raise Snooze(SNOOZE_MS / 1000)
        case "cancel":
            raise Cancel
        case "retry":
            raise Retry(ASKED_WAIT_MS / 1000)
        case "fatal":
            raise KeyError(word)
        case _:
            raise ValueError(word)


class Machine(RuleBasedStateMachine):
    """A queue, a worker that is stepped by hand, and the model of both."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.compared: dict[str, object] = {}
        self.home = Path(tempfile.mkdtemp(prefix="taskito-machine-"))
        self.stack = ExitStack()
        self.stack.callback(shutil.rmtree, self.home)
        self.stack.enter_context(silence("taskito"))
        self.queue = self.stack.enter_context(Queue(self.home / "jobs.db", durability="normal"))
        runs: Counter[str] = Counter()

        def perform(plan: list[str]) -> str:
            word = plan[min(runs[current_job.id], len(plan) - 1)]
            runs[current_job.id] += 1
            return act(word, self.queue)

        delays = [delay / 1000 for delay in RETRY_DELAYS_MS]
        for name, rate in (("plain", None), ("limited", "2/m")):
            self.queue.task(
                name=name, retry_delays=delays, dont_retry_on=[KeyError], rate_limit=rate
            )(perform)
        self.worker = self.stack.enter_context(manual_worker(self.queue))

    def teardown(self) -> None:
        self.stack.close()

    # Producers

    @rule(order=ORDERS, picks=st.lists(PICK, max_size=2))
    def enqueue(self, order: Order, picks: list[int]) -> None:
        parents = [job.id for job in self._picked(picks, prefer_unfinished=True)]
        existing = self.model.existing(order)
        made = self.queue.enqueue(
            order.task, [list(order.plan)], depends_on=parents, **options_of(order)
        )
        assert made.deduplicated == (existing is not None)
        if existing is not None:
            assert made.id == existing.id
        else:
            assert made.id not in self.model.jobs
            self.model.add(made.id, order, self.worker.now, parents)

    @rule(orders=st.lists(ORDERS, min_size=2, max_size=8))
    def enqueue_several_at_once(self, orders: list[Order]) -> None:
        for order in orders:
            order.task = "plain"
        made = self.queue.enqueue_many(
            "plain",
            [(list(order.plan),) for order in orders],
            options_list=[options_of(order) for order in orders],
        )
        for order, job in zip(orders, made, strict=True):
            existing = self.model.existing(order)
            assert job.deduplicated == (existing is not None)
            if existing is not None:
                assert job.id == existing.id
            else:
                self.model.add(job.id, order, self.worker.now)

    @rule(orders=st.lists(ORDERS, min_size=2, max_size=4))
    def enqueue_in_a_row(self, orders: list[Order]) -> None:
        """Each waits for the one before it."""
        parents: list[str] = []
        for order in orders:
            order.unique_key = order.idempotency_key = None
            made = self.queue.enqueue(
                order.task, [list(order.plan)], depends_on=parents, **options_of(order)
            )
            self.model.add(made.id, order, self.worker.now, parents)
            parents = [made.id]

    # The worker and the time

    @rule()
    def run_one(self) -> None:
        self._run_one()

    @rule()
    def run_until_nothing_is_due(self) -> None:
        while self._run_one():
            pass

    @rule(seconds=WAITS)
    def advance(self, seconds: int) -> None:
        self.worker.advance(seconds)
        now = self.worker.now
        self._expire(job for job in self.model.jobs.values() if job.is_late(now))
        assert not list(self._gone(self.model.outlived(now, by=SWEEP_MS), are_gone=False))
        for job in list(self._gone(self.model.outlived(now), are_gone=True)):
            self.model.delete(job)

    @rule(waits=st.lists(WAITS, min_size=2, max_size=6))
    def let_time_pass(self, waits: list[int]) -> None:
        for seconds in waits:
            self.advance(seconds)
            self._run_one()
            self._run_one()

    # Operators

    @rule(what=st.sampled_from(OPERATIONS), pick=PICK)
    def operate(self, what: str, pick: int) -> None:
        if self.model.jobs:
            getattr(self, f"_{what}")(pick)

    def _cancel(self, pick: int) -> None:
        (job,) = self._picked([pick])
        assert self.queue.cancel_job(job.id) == self.model.cancel(job.id, self.worker.now)

    def _pause(self, pick: int) -> None:
        name = self._a_queue(pick)
        self.queue.pause(name)
        self.model.paused.add(name)

    def _resume(self, pick: int) -> None:
        name = self._a_queue(pick)
        self.queue.resume(name)
        self.model.paused.discard(name)

    def _depend_on_what_is_not_there(self, pick: int) -> None:
        """Nothing is stored."""
        unknown = f"00000000-0000-7000-8000-{pick:012}"
        with pytest.raises(DependencyError, match=unknown):
            self.queue.enqueue("plain", depends_on=[unknown])

    def _replay(self, pick: int) -> None:
        (job,) = self._picked([pick])
        self.model.replay(job, self.queue.replay(job.id).id, self.worker.now)

    def _revive(self, pick: int) -> None:
        letters = self.queue.dead_letters(limit=1000)
        if not letters:
            return
        letter = letters[pick % len(letters)]
        new = self.queue.retry_dead(letter["id"])
        self.model.revive(self.model.jobs[letter["original_job_id"]], new, self.worker.now)

    def _revive_all(self, pick: int) -> None:
        """Oldest first, so that the new jobs run in that order."""
        _ = pick
        letters = self.queue.dead_letters(limit=1000)[::-1]
        dead = [self.model.jobs[letter["original_job_id"]] for letter in letters]
        for job, new in zip(dead, self.queue.retry_all_dead(), strict=True):
            self.model.revive(job, new, self.worker.now)

    def _purge(self, pick: int) -> None:
        status, age = ("complete", "dead", "cancelled")[pick % 3], pick % 2 * 10
        before = self.worker.now - age * 1000
        assert self.queue.purge_jobs(status, older_than=age) == self.model.purge(status, before)

    def _purge_dead_letters(self, pick: int) -> None:
        age = pick % 2 * 10
        before = self.worker.now - age * 1000
        old = [
            job
            for job in self.model.jobs.values()
            if job.has_letter and (job.ended_at or 0) < before
        ]
        assert self.queue.purge_dead(older_than=age) == len(old)
        for job in old:
            job.has_letter = False

    # What must be true after every step

    @invariant()
    def each_job_is_as_it_should_be(self) -> None:
        stored = {job.id: job for job in self.queue.list_jobs(limit=1000)}
        assert stored.keys() == self.model.jobs.keys()
        for job_id, job in self.model.jobs.items():
            compare(job, stored[job_id].to_dict())
            changed = (job.status, job.errors, job.parents)
            if self.compared.get(job_id) != changed:
                compare_more(job, stored[job_id])
                self.compared[job_id] = changed

    @invariant()
    def counters_and_lists_agree(self) -> None:
        wanted = Counter(job.status for job in self.model.jobs.values())
        stats = self.queue.stats()
        words = {"completed": "complete"}
        assert stats == {name: wanted[words.get(name, name)] for name in stats}
        letters = [letter["original_job_id"] for letter in self.queue.dead_letters(limit=1000)]
        assert len(letters) == len(set(letters))
        assert set(letters) == {job.id for job in self.model.jobs.values() if job.has_letter}
        assert self.queue.paused_queues() == sorted(self.model.paused)

    @staticmethod
    def _a_queue(pick: int) -> str:
        return ("default", "other")[pick % 2]

    def _picked(self, picks: list[int], *, prefer_unfinished: bool = False) -> list[Job]:
        """Any of the jobs; mostly such as have not ended, if preferred and there are."""
        jobs = list(self.model.jobs.values())
        if prefer_unfinished and sum(picks) % 4:
            jobs = [job for job in jobs if job.status == "pending"] or jobs
        return [jobs[pick % len(jobs)] for pick in picks] if jobs else []

    def _run_one(self) -> bool:
        now = self.worker.now
        allowed = self.model.heads(now)
        ran = self.worker.run(max_jobs=1)
        # A claim may meet jobs that expired at once, and cancel them.
        self._expire(
            job
            for job in self.model.jobs.values()
            if job.is_late(now) and not job.waits_for and self._status(job) == "cancelled"
        )
        if not ran:
            assert not allowed, "a job was due and did not run"
            return False
        (job,) = ran
        assert job.id in allowed, "a job ran before its turn"
        self.model.run(job.id, now)
        return True

    def _expire(self, late: Iterable[Job]) -> None:
        """The earliest first; what depends on it ends with it."""
        for job in sorted(late, key=lambda job: (job.expires_at, job.number)):
            if job.status == "pending":
                self.model.expire(job, self.worker.now)

    def _status(self, job: Job) -> str:
        stored = self.queue.get_job(job.id)
        assert stored is not None
        return stored.status

    def _gone(self, jobs: Iterable[Job], *, are_gone: bool) -> Iterator[Job]:
        return (job for job in jobs if (self.queue.get_job(job.id) is None) == are_gone)


def options_of(order: Order) -> dict[str, Any]:
    return {
        "queue": order.queue,
        "priority": order.priority,
        "delay": order.delay_ms / 1000,
        "max_retries": order.max_retries,
        "unique_key": order.unique_key,
        "idempotency_key": order.idempotency_key,
        "limit_key": order.limit_key,
        "expires": None if order.expires_ms is None else order.expires_ms / 1000,
        "result_ttl": None if order.ttl_ms is None else order.ttl_ms / 1000,
    }


def compare(job: Job, facts: dict[str, Any]) -> None:
    assert facts["status"] == job.status, job
    assert facts["retry_count"] == job.retries, job
    assert facts["completed_at"] == job.ended_at, job
    assert (facts["queue"], facts["task_name"]) == (job.order.queue, job.order.task)
    if job.status == "pending" and not job.waits_for:
        assert facts["scheduled_at"] == job.due, job
    if job.error is None:
        assert facts["error"] is None, job
    else:
        assert str(facts["error"]).startswith(job.error), job


def compare_more(job: Job, stored: JobResult[Any]) -> None:
    assert len(stored.errors) == job.errors, job
    assert stored.dependencies == list(job.parents), job
    if job.status == "complete":
        assert stored.result(timeout=0) == job.id


Machine.TestCase.settings = settings(
    stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# With the long profile it takes minutes.
TestMachine = pytest.mark.timeout(1800)(Machine.TestCase)
