"""Jobs that wait for other jobs: ``depends_on``, and what becomes of them."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from taskito import (
    DependencyError,
    DependencyFailedError,
    JobResult,
    MaxRetriesExceededError,
    Queue,
    TaskCancelledError,
    TaskFailedError,
    TaskWrapper,
)
from tests.support.until import until
from tests.unit.conftest import StartWorker

UNKNOWN = "01a207ef-0e53-7688-9529-2e63d115a560"
Enqueue = Callable[[Any], JobResult[Any]]


@pytest.fixture
def note(queue: Queue) -> TaskWrapper[..., Any]:
    @queue.task(name="note")
    def note(*args: object) -> tuple[object, ...]:
        return args

    return note


@pytest.fixture
def fail(queue: Queue) -> TaskWrapper[..., Any]:
    @queue.task(name="fail", max_retries=0)
    def fail() -> None:
        raise ZeroDivisionError("nothing to divide by")

    return fail


WAYS: dict[str, Callable[[Queue, TaskWrapper[..., Any], Any], JobResult[Any]]] = {
    "enqueue": lambda queue, _, given: queue.enqueue("note", depends_on=given),
    "enqueue_many": lambda queue, _, given: queue.enqueue_many("note", [()], depends_on=given)[0],
    "options_list": lambda queue, _, given: queue.enqueue_many(
        "note", [()], options_list=[{"depends_on": given}]
    )[0],
    "apply_async": lambda _, note, given: note.apply_async(depends_on=given),
    "options": lambda _, note, given: note.options(depends_on=given).delay(),
    "map": lambda _, note, given: note.options(depends_on=given).map([()])[0],
    "signature": lambda _, note, given: note.si().set(depends_on=given).apply(),
}


@pytest.fixture(params=WAYS)
def enqueue(request: pytest.FixtureRequest, queue: Queue, note: TaskWrapper[..., Any]) -> Enqueue:
    """Every way to enqueue a job that depends on others."""
    way = WAYS[request.param]
    return lambda given: way(queue, note, given)


class TestDependsOn:
    def test_ids_and_handles_one_or_several_name_dependencies(
        self, queue: Queue, enqueue: Enqueue
    ) -> None:
        one, other = queue.enqueue("note"), queue.enqueue("note")
        both = [one.id, other.id]
        assert enqueue(one).dependencies == [one.id]
        assert enqueue(one.id).dependencies == [one.id]
        assert enqueue([one, other.id]).dependencies == both
        assert enqueue(job for job in (one, other)).dependencies == both
        assert enqueue((one, one, other)).dependencies == both

    def test_an_empty_list_is_none(self, enqueue: Enqueue) -> None:
        job = enqueue([])
        assert job.dependencies == []
        assert job.dependents == []
        assert job.status == "pending"

    def test_a_missing_dependency_stores_nothing(self, queue: Queue, enqueue: Enqueue) -> None:
        present = queue.enqueue("note")
        for missing in (UNKNOWN, "no id", ""):
            with pytest.raises(DependencyError, match=f"Dependency job '{missing}' not found"):
                enqueue([present, missing])
        assert queue.stats()["pending"] == 1

    @pytest.mark.parametrize("given", [7, [7], [None], {1: 2}, b"id"])
    def test_anything_else_is_a_type_error(
        self, queue: Queue, enqueue: Enqueue, given: object
    ) -> None:
        with pytest.raises(TypeError, match="depends_on must be a job or its id, got"):
            enqueue(given)
        assert queue.stats()["pending"] == 0

    def test_an_error_about_a_missing_dependency_says_what_may_be_the_cause(
        self, queue: Queue
    ) -> None:
        with pytest.raises(DependencyError) as caught:
            queue.enqueue("note", depends_on=UNKNOWN)
        assert caught.value.hint is not None
        assert "another database" in caught.value.hint

    def test_an_empty_list_goes_over_the_dependencies_of_earlier_options(
        self, queue: Queue, note: TaskWrapper[..., Any]
    ) -> None:
        parent = queue.enqueue("note")
        bound = note.options(depends_on=parent)
        assert bound.options(priority=1).delay().dependencies == [parent.id]
        assert bound.options(depends_on=[]).delay().dependencies == []

    def test_a_duplicate_is_returned_whatever_it_depends_on(self, queue: Queue) -> None:
        first = queue.enqueue("note", unique_key="k")
        again = queue.enqueue("note", unique_key="k", depends_on=UNKNOWN)
        assert again.deduplicated
        assert again.id == first.id
        assert again.dependencies == []

    def test_of_many_with_a_missing_dependency_none_is_stored(self, queue: Queue) -> None:
        options: Sequence[dict[str, object]] = [{}, {"depends_on": UNKNOWN}]
        with pytest.raises(DependencyError):
            queue.enqueue_many("note", [(1,), (2,)], options_list=options)
        assert queue.stats()["pending"] == 0


class TestWait:
    def test_a_job_waits_until_all_its_dependencies_are_complete(
        self, note: TaskWrapper[..., Any], start_worker: StartWorker
    ) -> None:
        parents = [note.delay(number) for number in range(3)]
        last = note.apply_async(("last",), depends_on=parents)
        assert last.status == "pending"
        assert last.started_at is None
        assert [parent.dependents for parent in parents] == [[last.id]] * 3
        start_worker()
        assert last.result(timeout=30) == ("last",), "no result is passed"
        last.refresh()
        for parent in parents:
            parent.refresh()
            assert parent.completed_at is not None
            assert last.started_at is not None
            assert parent.completed_at <= last.started_at
        assert last.dependencies == [parent.id for parent in parents]

    def test_a_delay_counts_from_the_end_of_the_last_dependency(
        self, note: TaskWrapper[..., Any], start_worker: StartWorker
    ) -> None:
        parent = note.apply_async(delay=0.3)
        child = note.apply_async(delay=0.2, depends_on=parent)
        start_worker()
        child.result(timeout=30)
        parent.refresh()
        assert parent.completed_at is not None
        assert child.scheduled_at == parent.completed_at + 200

    def test_a_dependency_that_is_complete_holds_nobody_back(
        self, note: TaskWrapper[..., Any], start_worker: StartWorker
    ) -> None:
        start_worker()
        parent = note.delay()
        parent.result(timeout=30)
        child = note.apply_async(depends_on=parent)
        assert child.result(timeout=30) == ()
        assert child.dependencies == [parent.id]


class TestCascade:
    def test_a_failure_cancels_all_that_depends_on_it_and_names_itself(
        self,
        note: TaskWrapper[..., Any],
        fail: TaskWrapper[..., Any],
        start_worker: StartWorker,
    ) -> None:
        root = fail.delay()
        child = note.apply_async(depends_on=root)
        grandchild = note.apply_async(depends_on=[child])
        start_worker()
        for job in (child, grandchild):
            with pytest.raises(DependencyFailedError) as caught:
                job.result(timeout=30)
            error = caught.value
            assert (error.job_id, error.root_id) == (job.id, root.id)
            assert f"Job {job.id} cancelled: dependency failed: {root.id}" in str(error)
            assert isinstance(error.__cause__, MaxRetriesExceededError)
            assert error.__cause__.job_id == root.id
            assert error.__cause__.exception_type == "ZeroDivisionError"
            assert job.status == "cancelled"
            assert job.error == f"dependency failed: {root.id}"
            assert job.errors == []
        with pytest.raises(TaskFailedError, match="nothing to divide by"):
            root.result(timeout=30)

    def test_cancelling_a_job_cancels_its_dependents_before_it_returns(
        self, queue: Queue, note: TaskWrapper[..., Any]
    ) -> None:
        root = note.delay()
        child = note.apply_async(depends_on=root)
        grandchild = note.apply_async(depends_on=child)
        assert queue.cancel_job(root.id)
        statuses = [job.status for job in (root, child, grandchild)]
        assert statuses == ["cancelled"] * 3
        with pytest.raises(DependencyFailedError, match="dependency cancelled") as caught:
            grandchild.result(timeout=0)
        assert caught.value.root_id == root.id
        assert type(caught.value.__cause__) is TaskCancelledError
        assert queue.stats()["cancelled"] == 3

    def test_a_running_job_that_is_cancelled_takes_its_dependents_along(
        self, queue: Queue, note: TaskWrapper[..., Any], start_worker: StartWorker
    ) -> None:
        gate = threading.Event()

        @queue.task(name="stumble")
        def stumble() -> None:
            gate.wait(30)
            raise OSError("it would be retried")

        root = stumble.delay()
        child = note.apply_async(depends_on=root)
        start_worker()
        until(lambda: root.status == "running")
        assert queue.cancel_running_job(root.id)
        assert child.status == "pending"
        gate.set()
        with pytest.raises(DependencyFailedError, match="dependency cancelled") as caught:
            child.result(timeout=30)
        assert caught.value.root_id == root.id
        assert root.status == "cancelled"

    def test_a_job_that_expires_takes_its_dependents_along(
        self, note: TaskWrapper[..., Any], start_worker: StartWorker
    ) -> None:
        root = note.apply_async(expires=0)
        child = note.apply_async(depends_on=root)
        start_worker()
        with pytest.raises(DependencyFailedError) as caught:
            child.result(timeout=30)
        assert child.error == f"dependency cancelled: {root.id}"
        assert "expired before execution" in str(caught.value.__cause__)

    def test_a_job_is_kept_while_an_unfinished_one_depends_on_it(
        self, queue: Queue, note: TaskWrapper[..., Any], start_worker: StartWorker
    ) -> None:
        start_worker()
        parent, other = note.delay(), note.delay()
        parent.result(timeout=30)
        other.result(timeout=30)
        child = note.apply_async(depends_on=parent, delay=3600)
        assert until(lambda: queue.purge_completed(older_than=0)) == 1
        assert [job.id for job in queue.list_jobs()] == [child.id, parent.id]
        assert child.cancel()
        assert until(lambda: queue.purge_completed(older_than=0)) == 1
        assert child.dependencies == []

    def test_cancelling_a_waiting_dependent_leaves_what_it_waits_for(
        self, note: TaskWrapper[..., Any]
    ) -> None:
        root = note.delay()
        child = note.apply_async(depends_on=root)
        assert child.cancel()
        assert root.status == "pending"
        with pytest.raises(TaskCancelledError) as caught:
            child.result(timeout=0)
        assert type(caught.value) is TaskCancelledError

    def test_a_job_that_depends_on_one_that_ended_in_vain_is_cancelled_at_once(
        self, queue: Queue, note: TaskWrapper[..., Any]
    ) -> None:
        root = note.delay()
        middle = note.apply_async(depends_on=root)
        root.cancel()
        late = note.apply_async(depends_on=middle)
        assert late.status == "cancelled"
        assert late.error == f"dependency cancelled: {root.id}"
        assert late.completed_at is not None
        assert queue.stats() == {
            "pending": 0, "running": 0, "completed": 0, "failed": 0, "dead": 0, "cancelled": 3
        }  # fmt: skip

    def test_retrying_the_root_does_not_revive_its_dependents(
        self,
        queue: Queue,
        note: TaskWrapper[..., Any],
        fail: TaskWrapper[..., Any],
        start_worker: StartWorker,
    ) -> None:
        root = fail.delay()
        child = note.apply_async(depends_on=root)
        start_worker()
        root.wait(30)
        queue.task(name="fail")(lambda: None)
        [letter] = queue.dead_letters()
        again = queue.get_job(queue.retry_dead(letter["id"]))
        assert again is not None
        assert again.wait(30)
        assert again.dependents == []
        assert child.status == "cancelled"
