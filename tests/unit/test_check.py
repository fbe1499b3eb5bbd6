"""What waits in the database, compared with the tasks of the program."""

from pathlib import Path

import pytest

from taskito import CheckIssue, JsonSerializer, Queue
from taskito._core import JobSpec, Links


def problems(queue: Queue) -> list[tuple[str | None, str]]:
    return [(issue.job_id, issue.problem) for issue in queue.check()]


class TestCheck:
    def test_jobs_that_fit_are_no_issue(self, queue: Queue) -> None:
        task = queue.task(name="t")(lambda a, b=1: (a, b))
        task.delay(1)
        task.apply_async((1,), {"b": 2}, delay=60)
        assert queue.check() == []

    def test_a_task_nobody_registered(self, queue: Queue) -> None:
        job = queue.enqueue("lost", queue="mail")
        assert queue.check() == [
            CheckIssue(
                job_id=job.id,
                schedule=None,
                task_name="lost",
                queue="mail",
                problem="unknown_task",
                message="no task 'lost' is registered here",
            )
        ]

    def test_arguments_that_do_not_fit_any_more(self, queue: Queue) -> None:
        queue.task(name="t")(lambda a: a)
        few, named, good = (
            queue.enqueue("t"),
            queue.enqueue("t", (), {"b": 1}),
            queue.enqueue("t", (1,)),
        )
        assert problems(queue) == [(few.id, "bad_arguments"), (named.id, "bad_arguments")]
        assert "missing a required argument: 'a'" in queue.check()[0].message
        assert "hint" not in queue.check()[0].message
        assert good.status == "pending"

    def test_arguments_that_cannot_be_decoded(self, queue: Queue) -> None:
        queue.task(name="t")(print)
        job = queue.enqueue("t", (1,))
        with Queue(queue.db_path, serializer=JsonSerializer()) as other:
            other.task(name="t")(print)
            assert problems(other) == [(job.id, "undecodable")]
            assert "the arguments of 't' cannot be decoded: " in other.check()[0].message

    def test_what_has_ended_or_runs_does_not_matter(self, queue: Queue) -> None:
        queue.enqueue("lost").cancel()
        assert queue.check() == []

    def test_a_job_that_takes_a_result_has_one_argument_more(self, queue: Queue) -> None:
        queue.task(name="one")(lambda: 1)
        queue.task(name="two")(lambda a, b: a + b)
        calls = [("one", ()), ("two", (2,)), ("two", (2, 3))]
        links = [Links(), Links(takes=0), Links(takes=0)]
        with queue._database as store:
            stored = store.insert_workflow(
                [
                    (JobSpec(name), queue.serializer.dumps((args, {})), None, link)
                    for (name, args), link in zip(calls, links, strict=True)
                ]
            )
        assert problems(queue) == [(stored[2][0], "bad_arguments")]

    def test_the_oldest_come_first_and_no_more_than_asked_for(self, queue: Queue) -> None:
        jobs = queue.enqueue_many("lost", [()] * 250)
        assert [issue.job_id for issue in queue.check()] == [job.id for job in jobs]
        assert [issue.job_id for issue in queue.check(limit=2)] == [job.id for job in jobs[:2]]
        assert queue.check(limit=0) == []
        with pytest.raises(ValueError, match="limit must be between 0"):
            queue.check(limit=-1)

    def test_nothing_is_called(self, queue: Queue, tmp_path: Path) -> None:
        marker = tmp_path / "called"
        queue.task(name="t")(marker.touch).delay()
        assert queue.check() == []
        assert not marker.exists()
