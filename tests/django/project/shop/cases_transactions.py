"""When a task that is enqueued inside a transaction is stored. For Django's test runner."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from taskito.contrib.django.settings import get_queue
from taskito.exceptions import SerializationError, StorageError
from taskito.testing._manual import manual_worker
from tests.django.project.shop import tasks
from tests.django.project.shop.emptied import empty_queue
from tests.django.project.shop.models import Order
from tests.django.project.tasks_api import (
    TaskResultDoesNotExist,
    TaskResultStatus,
    default_task_backend,
    task_enqueued,
)


@transaction.atomic
def confirm_the_unknown() -> None:
    tasks.confirm.enqueue(1)
    Order.objects.get(pk=1)


@transaction.atomic
def place_order() -> None:
    Order.objects.create(customer="ann")
    tasks.add.enqueue(1)


class RealTransactions(TransactionTestCase):
    def setUp(self) -> None:
        empty_queue(self)

    @property
    def stored(self) -> int:
        return get_queue().stats()["pending"]

    def test_outside_a_transaction_a_job_is_stored_at_once(self) -> None:
        result = tasks.add.enqueue(1)

        assert self.stored == 1
        assert default_task_backend.get_result(result.id).id == result.id
        assert get_queue().get_job(result.id) is not None

    def test_inside_it_is_stored_when_the_transaction_commits(self) -> None:
        with transaction.atomic():
            result = tasks.add.enqueue(1, b=2)
            assert (result.status, result.enqueued_at) == (TaskResultStatus.READY, None)
            assert self.stored == 0
            for look in (default_task_backend.get_result, tasks.add.get_result):
                with pytest.raises(TaskResultDoesNotExist):
                    look(result.id)
            with pytest.raises(TaskResultDoesNotExist):
                result.refresh()
        assert self.stored == 1
        assert result.enqueued_at is not None

        found = tasks.add.get_result(result.id)
        assert (found.id, found.args, found.kwargs) == (result.id, [1], {"b": 2})

    def test_a_deferred_result_lives_on_under_its_id(self) -> None:
        with manual_worker(get_queue()) as worker:
            with transaction.atomic():
                result = tasks.who_am_i.enqueue("ann")
            worker.run()
            result.refresh()

            assert result.return_value["id"] == result.id
            assert tasks.who_am_i.get_result(result.id).is_finished
            [job] = get_queue().list_jobs()
            assert default_task_backend.get_result(job.id).id == result.id

    def test_a_rollback_drops_it(self) -> None:
        with transaction.atomic():
            Order.objects.create(customer="ann")
            result = tasks.add.enqueue(1)
            transaction.set_rollback(True)

        assert Order.objects.count() == 0
        assert self.stored == 0
        with pytest.raises(TaskResultDoesNotExist):
            default_task_backend.get_result(result.id)

    def test_an_exception_drops_it(self) -> None:
        with pytest.raises(Order.DoesNotExist):
            confirm_the_unknown()

        assert self.stored == 0

    def test_a_savepoint_that_is_rolled_back_drops_its_own(self) -> None:
        with transaction.atomic():
            kept = tasks.add.enqueue(1)
            with transaction.atomic():
                tasks.add.enqueue(2)
                transaction.set_rollback(True)
            with transaction.atomic():
                inner = tasks.add.enqueue(3)

        ids = {json.dumps(default_task_backend.get_result(r.id).args) for r in (kept, inner)}
        assert ids == {"[1]", "[3]"}
        assert self.stored == 2

    def test_what_cannot_be_stored_is_refused_inside_the_transaction(self) -> None:
        with transaction.atomic():
            Order.objects.create(customer="ann")
            for bad, error in ((object(), TypeError), (float("inf"), SerializationError)):
                with pytest.raises(error):
                    tasks.echo.enqueue(bad)

        assert Order.objects.count() == 1
        assert self.stored == 0

    def test_a_delay_counts_from_the_instant_and_not_from_the_commit(self) -> None:
        when = timezone.now() + timedelta(hours=1)
        with transaction.atomic():
            result = tasks.add.using(run_after=when).enqueue(1)

        [job] = get_queue().list_jobs()
        assert abs(job.scheduled_at - when.timestamp() * 1000) < 1000
        assert default_task_backend.get_result(result.id).task.run_after == when

    def test_without_the_option_it_is_stored_in_the_midst_of_a_transaction(self) -> None:
        with transaction.atomic():
            result = tasks.fail_once.enqueue()
            assert self.stored == 1
            assert tasks.fail_once.get_result(result.id).status == TaskResultStatus.READY

    def test_a_task_of_the_queue_itself_is_stored_at_once_or_by_a_callback(self) -> None:
        with transaction.atomic():
            tasks.plain.delay(1)
            transaction.on_commit(partial(tasks.plain.delay, 2))
            assert self.stored == 1

        assert self.stored == 2

    def test_where_a_program_commits_itself_it_is_told_why_not(self) -> None:
        transaction.set_autocommit(False)
        try:
            with pytest.raises(TransactionManagementError):
                tasks.add.enqueue(1)
        finally:
            transaction.rollback()
            transaction.set_autocommit(True)

        assert self.stored == 0

    def test_in_test_mode_the_commit_runs_it(self) -> None:
        with get_queue().test_mode():
            with transaction.atomic():
                order = Order.objects.create(customer="ann")
                result = tasks.confirm.enqueue(order.pk)
                assert result.status == TaskResultStatus.READY
            assert result.return_value == "ann"

        order.refresh_from_db()
        assert order.is_confirmed

    def test_the_signal_comes_when_it_is_stored(self) -> None:
        told: list[Any] = []

        def hear(task_result: Any, **_: object) -> None:
            told.append((task_result.id, task_result.enqueued_at is not None, self.stored))

        task_enqueued.connect(hear)
        try:
            with transaction.atomic():
                result = tasks.add.enqueue(1)
                assert told == []
        finally:
            task_enqueued.disconnect(hear)

        assert told == [(result.id, True, 1)]

    def test_a_queue_that_cannot_be_written_says_so_after_the_commit(self) -> None:
        get_queue()._database.move("/dev/null/taskito.db")

        with pytest.raises(StorageError):
            place_order()

        assert Order.objects.count() == 1


class InsideTheTestsTransaction(TestCase):
    def setUp(self) -> None:
        empty_queue(self)

    @property
    def stored(self) -> int:
        return get_queue().stats()["pending"]

    def test_nothing_is_stored_as_the_test_never_commits(self) -> None:
        tasks.add.enqueue(1)

        assert self.stored == 0

    def test_commit_callbacks_can_be_run(self) -> None:
        with self.captureOnCommitCallbacks(execute=True) as callbacks:
            result = tasks.add.enqueue(1)
            assert self.stored == 0

        assert len(callbacks) == 1
        assert self.stored == 1
        assert tasks.add.get_result(result.id).args == [1]

    def test_in_test_mode_the_task_has_run_when_they_have(self) -> None:
        order = Order.objects.create(customer="ann")
        with get_queue().test_mode(), self.captureOnCommitCallbacks(execute=True):
            result = tasks.confirm.enqueue(order.pk)
            assert result.status == TaskResultStatus.READY

        order.refresh_from_db()
        assert order.is_confirmed
        assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, "ann")
        assert connection.in_atomic_block

    def test_the_connection_of_the_test_survives_a_worker_in_it(self) -> None:
        order = Order.objects.create(customer="ann")
        with manual_worker(get_queue()) as worker:
            with self.captureOnCommitCallbacks(execute=True):
                tasks.confirm.enqueue(order.pk)
            worker.run()

        order.refresh_from_db()
        assert order.is_confirmed
