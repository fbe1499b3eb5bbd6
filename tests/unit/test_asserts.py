"""What a test may claim about pending jobs."""

from typing import Any
from unittest.mock import ANY

import pytest

from taskito import CloudpickleSerializer, JsonSerializer, Queue, Serializer
from taskito.task import TaskWrapper
from taskito.testing import assert_enqueued, assert_not_enqueued
from taskito.testing._manual import manual_worker


@pytest.fixture
def mail(queue: Queue) -> TaskWrapper[..., Any]:
    return queue.task(name="mail")(lambda *_args, **_kwargs: None)


class TestEnqueued:
    def test_the_job_enqueued_last_is_returned(self, mail: TaskWrapper[..., Any]) -> None:
        jobs = [mail.delay(1), mail.delay(2), mail.delay(1)]
        assert assert_enqueued(mail) == jobs[2]
        assert assert_enqueued(mail, [2]) == jobs[1]
        assert assert_enqueued(mail, (1,), {}).status == "pending"

    def test_only_what_is_given_is_compared(self, mail: TaskWrapper[..., Any]) -> None:
        job = mail.delay(1, to="ann")
        assert assert_enqueued(mail, [1]) == job
        assert assert_enqueued(mail, kwargs={"to": "ann"}) == job
        assert_not_enqueued(mail, [1], {})
        assert_not_enqueued(mail, [], {"to": "ann"})

    def test_a_name_goes_with_a_queue(self, queue: Queue) -> None:
        job = queue.enqueue("remote", [1])
        assert assert_enqueued("remote", [1], queue=queue) == job
        with pytest.raises(TypeError, match=r"'remote' is only a name\nhint: pass queue="):
            assert_enqueued("remote")

    def test_a_task_may_be_looked_for_in_another_queue(self, mail: TaskWrapper[..., Any]) -> None:
        mail.delay()
        with Queue(":memory:") as other:
            assert_not_enqueued(mail, queue=other)

    def test_jobs_with_a_delay_are_pending_and_others_are_not(
        self, queue: Queue, mail: TaskWrapper[..., Any]
    ) -> None:
        with manual_worker(queue) as worker:
            mail.delay(1)
            worker.run()
            mail.options(delay=60).delay(2)
            mail.delay(3).cancel()
        assert_enqueued(mail, count=1)
        assert_enqueued(mail, [2])

    def test_the_number_of_matches_may_be_told(self, mail: TaskWrapper[..., Any]) -> None:
        mail.map([(1,), (1,), (2,)])
        assert_enqueued(mail, [1], count=2)
        with pytest.raises(AssertionError, match=r"^2 pending jobs are mail\(1, \.\.\.\), not 3\n"):
            assert_enqueued(mail, [1], count=3)
        for count in (0, -1):
            with pytest.raises(ValueError, match="count"):
                assert_enqueued(mail, count=count)

    def test_every_pending_job_is_looked_at(self, mail: TaskWrapper[..., Any]) -> None:
        mail.map([(number,) for number in range(1201)])
        assert_enqueued(mail, count=1201)
        assert_enqueued(mail, [0])

    @pytest.mark.parametrize("serializer", [CloudpickleSerializer(), JsonSerializer()], ids=type)
    def test_arguments_are_equal_when_they_were_before_the_way_through_the_serializer(
        self, serializer: Serializer
    ) -> None:
        with Queue(":memory:", serializer=serializer) as queue:
            queue.enqueue("t", [(1, 2), {"k": (3,)}], {"point": (4, 5)})
            assert_enqueued("t", [(1, 2), {"k": (3,)}], {"point": (4, 5)}, queue=queue)
            assert_enqueued("t", [ANY, ANY], {"point": ANY}, queue=queue)
            assert_not_enqueued("t", [(1, 3), ANY], queue=queue)
            assert_not_enqueued("t", [object(), ANY], queue=queue)

    def test_arguments_that_cannot_be_decoded_are_listed_and_do_not_match(
        self, queue: Queue
    ) -> None:
        queue.enqueue("t", [1])
        with Queue(queue.db_path, serializer=JsonSerializer()) as other:
            assert_enqueued("t", queue=other)
            with pytest.raises(AssertionError, match=r"t\(\?\) cannot be decoded: .*Unicode"):
                assert_enqueued("t", [1], queue=other)

    @pytest.mark.parametrize(
        ("args", "kwargs", "message"),
        [("ab", None, "got the str 'ab'"), (5, None, "args must be"), (None, 5, "kwargs must be")],
    )
    def test_wrong_arguments_are_refused(
        self, mail: TaskWrapper[..., Any], args: Any, kwargs: Any, message: str
    ) -> None:
        for check in (assert_enqueued, assert_not_enqueued):
            with pytest.raises(TypeError, match=message):
                check(mail, args, kwargs)


class TestFail:
    def test_the_pending_jobs_of_all_tasks_are_listed(
        self, queue: Queue, mail: TaskWrapper[..., Any]
    ) -> None:
        mail.delay("ann", subject="hello")
        queue.enqueue("resize", ["x" * 500], queue="images")
        with pytest.raises(AssertionError) as caught:
            assert_enqueued(mail, ["bob"], {})
        first, title, *listed = str(caught.value).split("\n")
        assert first == "no pending job is mail('bob')"
        assert title == "pending jobs:"
        assert listed[0] == "  mail('ann', subject='hello')"
        assert listed[1].startswith("  resize('xxxxxx")
        assert listed[1].endswith(" in queue images")
        assert len(listed[1]) < 100

    def test_when_nothing_is_pending_it_says_so(self, mail: TaskWrapper[..., Any]) -> None:
        with pytest.raises(AssertionError) as caught:
            assert_enqueued(mail)
        assert str(caught.value) == "no pending job is mail\nno job is pending"

    def test_jobs_that_ran_already_are_pointed_out(
        self, queue: Queue, mail: TaskWrapper[..., Any]
    ) -> None:
        mail.delay()
        with manual_worker(queue) as worker:
            worker.run()
        with pytest.raises(AssertionError, match=r"\nhint: there are jobs of mail that are comp"):
            assert_enqueued(mail)

    def test_a_long_list_is_cut(self, queue: Queue, mail: TaskWrapper[..., Any]) -> None:
        queue.enqueue_many("t", [()] * 21)
        with pytest.raises(AssertionError) as caught:
            assert_enqueued(mail)
        assert str(caught.value).count("  t()") == 20
        assert "\n  ... 1 more\n" in str(caught.value)

    def test_what_should_not_be_is_counted_and_listed(self, mail: TaskWrapper[..., Any]) -> None:
        mail.delay(1)
        with pytest.raises(AssertionError, match=r"^1 pending job is mail\npending jobs:\n  mail"):
            assert_not_enqueued(mail)
        mail.delay(1)
        with pytest.raises(AssertionError, match=r"^2 pending jobs are mail\(1, \.\.\.\)\n"):
            assert_not_enqueued(mail, [1])
