"""Canvas that runs: what each step receives, when it starts, what happens when one fails."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from taskito import (
    CloudpickleSerializer,
    DependencyFailedError,
    JobResult,
    JsonSerializer,
    Queue,
    SignedSerializer,
    TaskCancelledError,
    TaskFailedError,
    TaskWrapper,
    chain,
    chord,
    chunks,
    group,
    starmap,
)
from tests.support.working import working
from tests.unit.conftest import StartWorker

Task: TypeAlias = TaskWrapper[..., Any]


@pytest.fixture
def tell(queue: Queue) -> Task:
    """Returns what it was called with."""

    @queue.task(name="tell")
    def tell(*args: Any, **kwargs: Any) -> object:
        return [*args, kwargs] if kwargs else [*args]

    return tell


@pytest.fixture
def add(queue: Queue) -> Task:
    @queue.task(name="add")
    def add(a: int, b: int) -> int:
        return a + b

    return add


@pytest.fixture
def fail(queue: Queue) -> Task:
    @queue.task(name="fail", max_retries=0)
    def fail(*_: object) -> None:
        raise ZeroDivisionError("nothing to divide by")

    return fail


def results(jobs: list[JobResult[Any]]) -> list[Any]:
    return [job.result(timeout=30) for job in jobs]


class TestPassing:
    @pytest.fixture(autouse=True)
    def _working(self, start_worker: StartWorker) -> None:
        start_worker()

    def test_a_result_goes_in_front_of_the_next_arguments(self, tell: Task) -> None:
        assert chain(tell.s(1), tell.s(2, x=3)).apply().result(30) == [[1], 2, {"x": 3}]

    def test_none_is_a_result_like_any_other(self, queue: Queue, tell: Task) -> None:
        nothing = queue.task(name="nothing")(lambda: None)
        assert chain(nothing.s(), tell.s(1)).apply().result(30) == [None, 1]
        assert chord([nothing.s(), nothing.s()], tell.s()).apply().result(30) == [[None, None]]

    def test_an_immutable_step_receives_nothing_and_still_waits(
        self, queue: Queue, tell: Task, tmp_path: Path
    ) -> None:
        mark = tmp_path / "mark"
        queue.task(name="leave")(lambda: mark.write_text("here"))
        queue.task(name="look")(mark.read_text)
        leave, look = queue._tasks["leave"], queue._tasks["look"]
        assert chain(leave.s(), look.si(), tell.s()).apply().result(30) == ["here"]

    def test_a_step_after_a_group_receives_the_list_in_member_order(
        self, queue: Queue, tell: Task
    ) -> None:
        gate = threading.Event()

        @queue.task(name="late")
        def late() -> str:
            assert gate.wait(30)
            return "late"

        @queue.task(name="early")
        def early() -> str:
            gate.set()
            return "early"

        members = group(late.s(), early.s())
        assert chain(members, tell.s("own")).apply().result(30) == [["late", "early"], "own"]

    def test_a_group_after_a_step_passes_its_result_to_each_member(self, tell: Task) -> None:
        jobs = chain(tell.s(1), group(tell.s("a"), tell.si("b"), tell.s())).apply()
        assert results(jobs) == [[[1], "a"], ["b"], [[1]]]

    def test_a_group_after_a_group_passes_the_list_to_each_member(self, tell: Task) -> None:
        jobs = chain(group(tell.s(1), tell.s(2)), group(tell.s("a"), tell.s("b"))).apply()
        assert results(jobs) == [[[[1], [2]], "a"], [[[1], [2]], "b"]]

    def test_a_group_of_one_is_a_group(self, tell: Task) -> None:
        assert chain(group(tell.s(1)), tell.s()).apply().result(30) == [[[1]]]

    def test_a_chord_passes_the_list_to_its_callback(self, tell: Task) -> None:
        assert chord([tell.s(1), tell.s(2)], tell.s(3)).apply().result(30) == [[[1], [2]], 3]
        assert chord(tell.s(1), tell.si(3)).apply().result(30) == [3]

    def test_a_nested_chain_stands_for_its_last_result(self, add: Task, tell: Task) -> None:
        member = chain(add.s(1, 2), add.s(10))
        assert chord([member, add.s(1, 1)], tell.s()).apply().result(30) == [[13, 2]]
        assert chain(chain(add.s(1, 2)), chain(add.s(3))).apply().result(30) == 6

    def test_a_nested_chord_stands_for_its_callback(self, queue: Queue, add: Task) -> None:
        total = queue.task(name="total")(sum)
        inner = chord([add.s(1, 1), add.s(2, 2)], total.s())
        assert chord([inner, add.s(3, 3), inner], total.s()).apply().result(30) == 18
        assert chain(inner, add.s(1)).apply().result(30) == 7
        assert chain(add.s(1, 1), chord([add.s(10), add.s(20)], total.s())).apply().result(30) == 34

    def test_groups_in_groups_and_chains_that_end_in_groups_are_flattened(self, tell: Task) -> None:
        nested = group(tell.s(1), group(tell.s(2), group(tell.s(3))), tell.s(4) | group(tell.s(5)))
        assert results(nested.apply()) == [[1], [2], [3], [[4], 5]]
        assert (nested | tell.s()).apply().result(30) == [[[1], [2], [3], [[4], 5]]]

    def test_a_callback_may_be_a_chain_or_a_group(self, tell: Task) -> None:
        steps = chord([tell.s(1)], chain(tell.s(2), tell.s(3)))
        assert steps.apply().result(30) == [[[[1]], 2], 3]
        assert results(chord([tell.s(1)], group(tell.s(2), tell.s(3))).apply()) == [
            [[[1]], 2],
            [[[1]], 3],
        ]

    def test_chunks_and_starmap_run(self, queue: Queue, add: Task) -> None:
        total = queue.task(name="total")(sum)
        assert (chunks(total, range(10), 4) | total.s()).apply().result(30) == 45
        assert results(starmap(add, [(1, 2), (3, 4)]).apply()) == [3, 7]

    def test_a_first_step_that_exists_already_passes_its_result(self, add: Task) -> None:
        earlier = add.options(idempotency_key="once").delay(1, 2)
        again = add.s(5, 5).set(idempotency_key="once")
        assert chain(again, add.s(10)).apply().result(30) == 13
        assert earlier.dependents

    def test_a_step_may_be_retried_and_receives_the_same_again(
        self, queue: Queue, tell: Task
    ) -> None:
        seen: list[Any] = []

        @queue.task(name="stumble", retry_backoff=0)
        def stumble(*args: Any) -> int:
            seen.append(args)
            if len(seen) < 3:
                raise OSError("again")
            return len(seen)

        assert chain(tell.s(1), stumble.s(2), tell.s()).apply().result(30) == [3]
        assert seen == [([1], 2)] * 3

    def test_aapply_runs_too(self, add: Task) -> None:
        import asyncio

        async def main() -> int:
            job = await chain(add.s(1, 2), add.s(3)).aapply()
            return int(await job.aresult(timeout=30))

        assert asyncio.run(main()) == 6


class TestSerializers:
    @pytest.mark.parametrize(
        "serializer",
        [JsonSerializer(), SignedSerializer(CloudpickleSerializer(), b"k" * 16)],
        ids=["json", "signed"],
    )
    def test_results_are_handed_over_in_the_serializer_of_the_queue(
        self, tmp_path: Path, serializer: Any
    ) -> None:
        with Queue(tmp_path / "jobs.db", serializer=serializer, workers=2) as queue:
            tell = queue.task(name="tell")(lambda *args: [*args])
            job = chain(tell.s(1), group(tell.s(2), tell.s(3)), tell.s(4)).apply()
            with working(queue):
                assert job.result(30) == [[[[1], 2], [[1], 3]], 4]

    def test_a_result_that_cannot_be_decoded_fails_the_step_that_takes_it(
        self, queue: Queue, tell: Task, start_worker: StartWorker
    ) -> None:
        queue.task(name="trap")(Trap)
        last = chain(queue._tasks["trap"].s(), tell.s().set(max_retries=0)).apply()
        start_worker()
        with pytest.raises(TaskFailedError, match="the arguments of 'tell' cannot be decoded"):
            last.result(30)


class Trap:
    """Can be pickled and not be unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return int, ("no number",)


class TestTiming:
    def test_a_delay_counts_from_the_end_of_what_a_step_waits_for(
        self, tell: Task, start_worker: StartWorker
    ) -> None:
        first = tell.s(1).set(delay=0.2)
        last = chain(first, tell.s(2).set(delay=0.3)).apply()
        start_worker()
        last.result(30)
        last.refresh()
        [before] = last.dependencies
        root = JobResult[Any](last._database, last._serializer, before)
        assert root.completed_at is not None
        assert last.scheduled_at == root.completed_at + 300

    def test_members_of_a_group_run_at_the_same_time(
        self, queue: Queue, tell: Task, start_worker: StartWorker
    ) -> None:
        meeting = threading.Barrier(2)
        meet = queue.task(name="meet")(lambda *_: meeting.wait(30))
        start_worker(workers=2)
        jobs = chain(tell.s(), group(meet.s(), meet.s())).apply()
        assert sorted(results(jobs)) == [0, 1]


class TestFailure:
    def test_all_later_steps_are_cancelled_and_name_the_root(
        self, queue: Queue, tell: Task, fail: Task, start_worker: StartWorker
    ) -> None:
        last = chain(tell.s(1), fail.s(), tell.s(2), group(tell.s(3)), tell.s(4)).apply()
        start_worker()
        with pytest.raises(DependencyFailedError, match="dependency failed") as caught:
            last.result(30)
        [letter] = queue.dead_letters()
        assert caught.value.root_id == letter["original_job_id"]
        assert isinstance(caught.value.__cause__, TaskFailedError)
        assert caught.value.__cause__.exception_type == "ZeroDivisionError"
        counts = queue.stats()
        assert (counts["completed"], counts["dead"], counts["cancelled"]) == (1, 1, 3)

    def test_a_failed_member_cancels_the_callback_and_the_others_go_on(
        self, queue: Queue, tell: Task, fail: Task, start_worker: StartWorker
    ) -> None:
        callback = chord([tell.s(1), fail.s(), tell.s(2) | tell.s(3)], tell.s()).apply()
        start_worker()
        with pytest.raises(DependencyFailedError):
            callback.result(30)
        members = [queue.get_job(member) for member in callback.dependencies]
        finished = [member for member in members if member is not None and member.wait(30)]
        assert [member.status for member in finished] == ["complete", "dead", "complete"]

    def test_independent_branches_go_on(
        self, tell: Task, fail: Task, start_worker: StartWorker
    ) -> None:
        broken, whole = group(fail.s() | tell.s(), tell.s(1) | tell.s(2)).apply()
        start_worker()
        assert whole.result(30) == [[1], 2]
        with pytest.raises(DependencyFailedError):
            broken.result(30)

    def test_cancelling_a_pending_step_cancels_what_follows(self, queue: Queue, tell: Task) -> None:
        last = chain(tell.s(1), tell.s(2), tell.s(3)).apply()
        [second] = last.dependencies
        assert queue.cancel_job(second)
        with pytest.raises(DependencyFailedError) as caught:
            last.result(0)
        assert caught.value.root_id == second
        assert isinstance(caught.value.__cause__, TaskCancelledError)
        assert queue.stats()["pending"] == 1

    def test_a_wide_and_a_deep_workflow_end_soon(
        self, queue: Queue, add: Task, fail: Task, start_worker: StartWorker
    ) -> None:
        total = queue.task(name="total")(sum)
        start_worker()
        wide = chord((add.s(number, 1) for number in range(2000)), total.s()).apply()
        deep = chain([add.s(0, 0), *(add.s(1) for _ in range(500))]).apply()
        doomed = chain([fail.s(), *(add.s(1) for _ in range(2000))]).apply()
        assert wide.result(30) == 2001000
        assert deep.result(30) == 500
        with pytest.raises(DependencyFailedError):
            doomed.result(30)
        assert queue.stats()["cancelled"] == 2000


class TestLimit:
    @pytest.fixture
    def crowd(self) -> "Crowd":
        return Crowd()

    @pytest.mark.parametrize("limit", [1, 2])
    def test_no_more_jobs_of_a_group_run_at_once_than_it_allows(
        self, queue: Queue, tell: Task, start_worker: StartWorker, crowd: "Crowd", limit: int
    ) -> None:
        enter = queue.task(name="enter")(crowd.enter)
        members = group((enter.s() for _ in range(12)), max_concurrency=limit)
        start_worker(workers=3)
        start_worker(workers=3)
        assert len(chain(tell.s(), members, tell.s()).apply().result(30)[0]) == 12
        assert crowd.largest == limit

    def test_a_member_that_is_a_chain_counts_with_each_of_its_steps(
        self, queue: Queue, start_worker: StartWorker, crowd: "Crowd"
    ) -> None:
        enter = queue.task(name="enter")(crowd.enter)
        start_worker(workers=4)
        steps = (enter.s() | enter.s() | group(enter.s(), enter.s()) for _ in range(4))
        results(group(steps, max_concurrency=2).apply())
        assert crowd.largest == 2

    def test_a_group_in_a_group_keeps_to_both_limits(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        inside, around = Crowd(), Crowd()
        inner = queue.task(name="inner")(lambda: around.enter(inside))
        outer = queue.task(name="outer")(around.enter)
        start_worker(workers=6)
        narrow = group((inner.s() for _ in range(6)), max_concurrency=1)
        results(group(*(outer.s() for _ in range(6)), narrow, max_concurrency=3).apply())
        assert inside.largest == 1
        assert around.largest <= 3

    def test_no_member_waits_for_a_whole_wave(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        others = threading.Event()
        done: list[int] = []

        @queue.task(name="first")
        def first() -> None:
            assert others.wait(30), "the others waited for the first"

        @queue.task(name="other")
        def other(number: int) -> None:
            done.append(number)
            if len(done) == 5:
                others.set()

        start_worker(workers=2)
        members = [first.s(), *(other.s(number) for number in range(5))]
        results(group(members, max_concurrency=2).apply())
        assert sorted(done) == [0, 1, 2, 3, 4]

    def test_what_fails_or_is_cancelled_makes_room(
        self, tell: Task, fail: Task, start_worker: StartWorker
    ) -> None:
        members = [fail.s(), tell.s(1), fail.s() | tell.s(2), tell.s(3), tell.s(4)]
        jobs = group(members, max_concurrency=1).apply()
        assert jobs[3].cancel()
        start_worker()
        assert jobs[4].result(30) == [4]
        statuses = [job.status for job in jobs if job.wait(30)]
        assert statuses == ["dead", "complete", "cancelled", "cancelled", "complete"]


class Crowd:
    """Counts how many are inside at once.

    Attributes:
        largest: the most there ever were.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self.largest = 0

    def enter(self, *then: Any) -> None:
        """Be inside for a moment; after a ``Crowd`` is given, inside of that one as well."""
        with self._lock:
            self._inside += 1
            self.largest = max(self.largest, self._inside)
        time.sleep(0.01)  # long enough for any other to come in
        for crowd in then:
            if isinstance(crowd, Crowd):
                crowd.enter()
        with self._lock:
            self._inside -= 1
