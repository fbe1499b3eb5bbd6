"""Schedules: how they are declared, when they fire, and what operators do with them.

Long, as the whole life of a schedule is here.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, assert_type

import pytest

from taskito import JobResult, JsonSerializer, Queue, TaskWrapper
from taskito.exceptions import (
    ConfigurationError,
    CronError,
    PayloadTooLargeError,
    QueueClosedError,
    ScheduleNotFoundError,
    SerializationError,
)
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker

SECOND = 1000
MINUTE = 60 * SECOND


def nothing() -> None:
    """Stand for a job that is never looked at."""


@pytest.fixture
def step(queue: Queue) -> Iterator[Callable[[], ManualWorker]]:
    """Start a worker whose clock the test moves; schedules are declared before."""
    contexts = []

    def start() -> ManualWorker:
        contexts.append(manual_worker(queue))
        return contexts[-1].__enter__()

    yield start
    for context in reversed(contexts):
        context.__exit__(None, None, None)


def schedule(queue: Queue, name: str = "s") -> dict[str, Any]:
    (row,) = [row for row in queue.list_periodic() if row["name"] == name]
    return row


def fires(queue: Queue) -> list[tuple[str, int]]:
    """Schedule and fire time of all jobs, oldest first."""
    with sqlite3.connect(queue.db_path) as connection:
        rows = connection.execute("SELECT schedule_name, fire_time FROM jobs ORDER BY id")
        return [(name, time) for name, time in rows]


class TestDeclaring:
    def test_the_function_becomes_a_task_with_the_options(self, queue: Queue) -> None:
        @queue.periodic("@daily", name="report", queue="mail", max_retries=1, timeout=7, priority=5)
        def report() -> str:
            return "sent"

        assert isinstance(report, TaskWrapper)
        assert report() == "sent"
        assert report.name == "report"
        assert queue._task_registry["report"] is report
        options = report.definition.options
        assert (options.queue, options.max_retries, options.priority) == ("mail", 1, 5)
        assert options.timeout_ms == 7000
        assert report.delay().queue == "mail"

    def test_nothing_is_opened(self, tmp_path: Path) -> None:
        queue = Queue(tmp_path / "jobs.db")
        queue.periodic("@daily")(nothing)
        assert list(tmp_path.iterdir()) == []

    def test_the_name_is_that_of_the_function(self, queue: Queue) -> None:
        task = queue.periodic("@daily")(nothing)
        assert task.name == "tests.unit.test_periodic.nothing"
        assert queue._periodic_configs[0]["name"] == task.name

    def test_configs_are_listed_in_the_order_of_their_declaration(self, queue: Queue) -> None:
        queue.periodic("@daily", "b", (1,), {"x": 2}, "mail", "Europe/Berlin", "all")(
            lambda a, x: (a, x)
        )
        queue.periodic(every=timedelta(minutes=1, milliseconds=500), name="a")(nothing)
        first, second = queue._periodic_configs
        assert queue.serializer.loads(first.pop("payload")) == ((1,), {"x": 2})
        assert first == {
            "name": "b",
            "task_name": "b",
            "cron_expr": "@daily",
            "every": None,
            "timezone": "Europe/Berlin",
            "queue": "mail",
            "catch_up": "all",
        }
        assert (second["name"], second["cron_expr"], second["every"]) == ("a", None, 60.5)
        assert second["queue"] == "default"

    def test_a_name_declared_again_takes_the_place_of_the_first(self, queue: Queue) -> None:
        queue.periodic("@daily", "a")(nothing)
        queue.periodic("@daily", "b")(nothing)
        queue.periodic("@hourly", "a")(nothing)
        assert [(c["name"], c["cron_expr"]) for c in queue._periodic_configs] == [
            ("a", "@hourly"),
            ("b", "@daily"),
        ]

    def test_the_serializer_of_the_queue_is_used(self, tmp_path: Path) -> None:
        queue = Queue(tmp_path / "jobs.db", serializer=JsonSerializer())
        queue.periodic("@daily", "a", [1], {"b": 2})(lambda *_args, **_kwargs: None)
        assert queue._periodic_configs[0]["payload"] == b'[[1],{"b":2}]'

    @pytest.mark.parametrize(
        ("cron", "field"),
        [
            ("61 * * * *", "minute"),
            ("* 24 * * *", "hour"),
            ("* * 0 * *", "day-of-month"),
            ("* * * 13 *", "month"),
            ("* * * * 8", "day-of-week"),
            ("60 * * * * *", "second"),
            ("0 0 31 2 *", "day-of-month and month"),
            ("* * * *", "4 fields"),
            ("@reboot", "shortcut"),
        ],
    )
    def test_a_bad_expression_is_refused_with_its_field(
        self, queue: Queue, cron: str, field: str
    ) -> None:
        with pytest.raises(CronError, match=field) as caught:
            queue.periodic(cron)
        assert repr(cron) in str(caught.value)
        assert caught.value.hint

    def test_an_expression_that_never_fires_in_its_time_zone_is_refused(self, queue: Queue) -> None:
        cron = "*/5 2 25-31 3 SUN"
        queue.periodic(cron, "UTC has that hour")(nothing)
        with pytest.raises(CronError, match=r"never fires in time zone Europe/Berlin"):
            queue.periodic(cron, timezone="Europe/Berlin")

    def test_an_unknown_time_zone_is_refused(self, queue: Queue) -> None:
        with pytest.raises(ValueError, match="did you mean 'Europe/Berlin'"):
            queue.periodic("@daily", timezone="europe/berlin")
        with pytest.raises(ValueError, match="unknown time zone 'Nowhere'"):
            queue.periodic(every=60, timezone="Nowhere")

    @pytest.mark.parametrize(
        ("arguments", "kind", "message"),
        [
            ({}, ConfigurationError, "got neither"),
            ({"cron": "@daily", "every": 60}, ConfigurationError, "got both"),
            ({"cron": 5}, TypeError, "cron must be a str"),
            ({"every": 0.9994}, ValueError, "at least 1 second, got 0.9994"),
            ({"every": -5}, ValueError, "at least 1 second"),
            ({"every": "60"}, TypeError, "every must be seconds"),
            ({"every": float("nan")}, ValueError, "every must be finite"),
            ({"cron": "@daily", "catch_up": "some"}, ValueError, "one, none, all, got 'some'"),
            ({"cron": "@daily", "catch_up": None}, TypeError, "catch_up must be a str"),
            ({"cron": "@daily", "timezone": None}, TypeError, "timezone must be a str"),
            ({"cron": "@daily", "args": "ab"}, TypeError, "args must be a sequence"),
            ({"cron": "@daily", "kwargs": 5}, TypeError, "kwargs must be a mapping"),
            ({"cron": "@daily", "name": 5}, TypeError, "name must be a str"),
            ({"cron": "@daily", "queue": 5}, TypeError, "queue must be a str"),
            ({"cron": "@daily", "retries": 5}, TypeError, "did you mean 'max_retries'"),
            ({"cron": "@daily", "timeout": -1}, ValueError, "timeout must not be negative"),
        ],
    )
    def test_a_bad_argument_is_refused_at_the_call(
        self, queue: Queue, arguments: dict[str, Any], kind: type[Exception], message: str
    ) -> None:
        with pytest.raises(kind, match=message):
            queue.periodic(**arguments)
        assert queue._periodic_configs == []

    def test_it_cannot_be_used_without_arguments(self, queue: Queue) -> None:
        with pytest.raises(TypeError, match="needs to know when"):
            queue.periodic(nothing)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_arguments_that_do_not_fit_the_function_are_refused(self, queue: Queue) -> None:
        with pytest.raises(TypeError, match="missing a required argument: 'a'"):
            queue.periodic("@daily", "t")(lambda a: a)
        assert queue._periodic_configs == []

    def test_arguments_that_cannot_be_serialized_are_refused(self, tmp_path: Path) -> None:
        queue = Queue(tmp_path / "jobs.db", serializer=JsonSerializer(), max_payload_bytes=100)
        decorate = queue.periodic("@daily", "t", (object(),))
        with pytest.raises(SerializationError):
            decorate(lambda a: a)
        with pytest.raises(PayloadTooLargeError, match="'t'"):
            queue.periodic("@daily", "t", ("x" * 100,))(lambda a: a)

    def test_a_closed_queue_takes_no_schedule(self, queue: Queue) -> None:
        queue.close()
        with pytest.raises(QueueClosedError):
            queue.periodic("@daily")(nothing)

    def test_types_survive(self, queue: Queue) -> None:
        @queue.periodic("@daily", args=(1,))
        def double(a: int) -> int:
            return 2 * a

        assert_type(double.delay(2), JobResult[int])
        assert_type(queue.periodic("@hourly", "more", (3,))(double).delay(2), JobResult[int])


class TestFurtherSchedules:
    def test_a_task_gets_a_further_schedule(self, queue: Queue) -> None:
        task = queue.task(name="mail", queue="post", priority=3)(lambda to: to)
        for name, to in (("morning", "a"), ("evening", "b")):
            assert queue.periodic("@daily", name, (to,))(task) is task
        assert [(c["name"], c["task_name"]) for c in queue._periodic_configs] == [
            ("morning", "mail"),
            ("evening", "mail"),
        ]
        assert list(queue._task_registry) == ["mail"]

    def test_its_jobs_wait_in_the_queue_of_the_task_unless_another_is_named(
        self, queue: Queue
    ) -> None:
        task = queue.task(name="mail", queue="post")(nothing)
        queue.periodic("@daily", "own")(task)
        queue.periodic("@daily", "other", queue="slow")(task)
        assert [c["queue"] for c in queue._periodic_configs] == ["post", "slow"]
        assert task.definition.options.queue == "post"

    def test_decorators_can_be_stacked(self, queue: Queue) -> None:
        @queue.periodic("0 18 * * *", name="evening")
        @queue.periodic("0 6 * * *", name="morning")
        def report() -> None: ...

        assert report.name == "morning"
        names = {(c["name"], c["task_name"]) for c in queue._periodic_configs}
        assert names == {("morning", "morning"), ("evening", "morning")}

    def test_a_name_is_required(self, queue: Queue) -> None:
        task = queue.task(name="mail")(nothing)
        with pytest.raises(TypeError, match=r"'mail' needs a name\nhint: .*name="):
            queue.periodic("@daily")(task)

    def test_task_options_are_refused(self, queue: Queue) -> None:
        task = queue.task(name="mail")(nothing)
        with pytest.raises(TypeError, match="takes no task options, got timeout, priority"):
            queue.periodic("@daily", "s", timeout=5, priority=1)(task)

    def test_a_task_of_another_queue_is_refused(self, queue: Queue, tmp_path: Path) -> None:
        task = Queue(tmp_path / "other.db").task(name="mail")(nothing)
        with pytest.raises(ValueError, match="'mail' is not registered with this queue"):
            queue.periodic("@daily", "s")(task)


class TestFiring:
    def test_a_job_is_enqueued_at_each_time(
        self, queue: Queue, step: Callable[[], ManualWorker]
    ) -> None:
        queue.periodic(every=60, name="s", args=("a",))(lambda letter: letter * 2)
        worker = step()
        first = worker.now // MINUTE * MINUTE + MINUTE
        assert schedule(queue)["next_run"] == first
        worker.advance(300)
        assert fires(queue) == [("s", first + n * MINUTE) for n in range(5)]
        assert [job.result() for job in worker.run()] == ["aa"] * 5
        row = schedule(queue)
        assert (row["last_run"], row["next_run"]) == (first + 4 * MINUTE, first + 5 * MINUTE)
        assert row["last_job_id"] == queue.list_jobs(limit=1)[0].id

    def test_jobs_carry_their_fire_and_the_options(
        self, queue: Queue, step: Callable[[], ManualWorker]
    ) -> None:
        task = queue.task(name="t", queue="mail", priority=7, max_retries=0, timeout=9)(nothing)
        queue.periodic(every=60, name='ünï "s"')(task)
        worker = step()
        worker.advance(60)
        (job,) = queue.list_jobs()
        assert (job.queue, job.priority, job.max_retries) == ("mail", 7, 0)
        assert job.to_dict()["timeout_ms"] == 9000
        with sqlite3.connect(queue.db_path) as connection:
            (headers,) = connection.execute("SELECT headers FROM jobs").fetchone()
        row = schedule(queue, 'ünï "s"')
        assert JsonSerializer().loads(headers.encode()) == {
            "taskito-schedule": 'ünï "s"',
            "taskito-fire-time": str(row["last_run"]),
        }

    def test_local_time_follows_daylight_saving(
        self, queue: Queue, step: Callable[[], ManualWorker]
    ) -> None:
        queue.periodic("30 2 * * *", "night", timezone="Europe/Berlin")(nothing)
        queue.periodic("30 * * * *", "hour", timezone="Europe/Berlin")(nothing)
        worker = step()
        queue.delete_periodic("hour")
        start = datetime.fromtimestamp(worker.now / 1000, UTC)
        # The last Sunday of the next March.
        spring = datetime(start.year + 1, 3, 31, 1, tzinfo=UTC)
        spring -= timedelta(days=(spring.weekday() + 1) % 7)
        queue.pause_periodic("night")
        worker.advance(spring - start - timedelta(hours=12))
        queue.resume_periodic("night")
        worker.advance(36 * 3600)
        assert fires(queue) == [
            ("night", int(spring.timestamp()) * 1000),
            ("night", int((spring + timedelta(hours=23, minutes=30)).timestamp()) * 1000),
        ]

    def test_a_coroutine_function_has_schedules_like_any_other(
        self, queue: Queue, step: Callable[[], ManualWorker]
    ) -> None:
        @queue.periodic(every=60, name="s", args=(2,))
        async def double(a: int) -> int:
            return 2 * a

        assert_type(double.delay(1), JobResult[int]).cancel()
        worker = step()
        worker.advance(60)
        assert [job.result() for job in worker.run()] == [4]

    def test_a_schedule_declared_while_a_worker_runs_fires_at_once(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        start_worker()
        until(queue.workers)
        seen = threading.Event()
        queue.periodic(every=1, name="s")(seen.set)
        assert seen.wait(30)
        assert schedule(queue)["active"]

    def test_a_schedule_fires_every_second(self, queue: Queue, start_worker: StartWorker) -> None:
        """A 2-second cron once fired 3 of 20 times, as its ticker polled."""
        queue.periodic("* * * * * *", "s")(nothing)
        start_worker()
        until(lambda: queue.stats()["completed"] >= 9)
        times = [time for _, time in fires(queue)]
        assert [later - time for time, later in pairwise(times)] == [SECOND] * (len(times) - 1)

    def test_fires_that_were_missed_are_made_up_as_the_schedule_says(
        self, queue: Queue, step: Callable[[], ManualWorker]
    ) -> None:
        for name in ("one", "none", "all"):
            queue.periodic(every=60, name=name, catch_up=name)(nothing)
        worker = step()
        due = schedule(queue, "one")["next_run"]
        # Nobody ticks while the clock moves: that is a night without workers.
        worker._clock.advance(due - worker.now + 4 * MINUTE + 10 * SECOND + 1)
        worker.advance(0)
        assert sorted(fires(queue)) == [
            *(("all", due + n * MINUTE) for n in range(5)),
            ("one", due + 4 * MINUTE),
        ]

    def test_more_missed_fires_than_are_made_up_are_warned_of(
        self, queue: Queue, start_worker: StartWorker, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue.periodic(every=1, name="s", catch_up="all")(nothing)
        queue.list_periodic()
        with sqlite3.connect(queue.db_path) as connection:
            connection.execute("UPDATE schedule SET next_run = next_run - 5000000")
        start_worker()
        until(lambda: "schedule 's' missed more than 1000 fires" in caplog.text)

    def test_another_expression_or_time_zone_fires_first_after_now(
        self, queue: Queue, step: Callable[[], ManualWorker]
    ) -> None:
        queue.periodic(every=3600, name="s")(nothing)
        worker = step()
        due = schedule(queue)["next_run"]
        worker._clock.advance(2 * 3600 * SECOND)
        queue.periodic(every=3600, name="s")(nothing)
        assert schedule(queue)["next_run"] == due
        queue.periodic(every=60, name="s")(nothing)
        assert schedule(queue)["next_run"] == worker.now // MINUTE * MINUTE + MINUTE

    def test_jobs_of_a_serializer_run_with_it(self, tmp_path: Path) -> None:
        with Queue(tmp_path / "json.db", serializer=JsonSerializer()) as queue:
            queue.periodic(every=60, name="s", args=[1], kwargs={"b": [2]})(lambda a, b: (a, b))
            with manual_worker(queue) as worker:
                worker.advance(60)
                (job,) = worker.run()
                assert job.result() == [1, [2]]


class TestControl:
    def test_schedules_are_listed_by_name(self, queue: Queue) -> None:
        queue.periodic("@daily", "b", queue="mail", timezone="Asia/Tokyo", catch_up="none")(nothing)
        queue.periodic(every=90, name="a")(nothing)
        a, b = queue.list_periodic()
        assert a.pop("next_run") % 90_000 == 0
        assert a == {
            "name": "a",
            "task_name": "a",
            "cron_expr": None,
            "every": 90,
            "timezone": "UTC",
            "queue": "default",
            "catch_up": "one",
            "enabled": True,
            "active": False,
            "last_run": None,
            "last_job_id": None,
        }
        assert (b["cron_expr"], b["every"], b["timezone"]) == ("@daily", None, "Asia/Tokyo")
        assert (b["queue"], b["catch_up"]) == ("mail", "none")
        assert datetime.fromtimestamp(b["next_run"] / 1000, UTC).hour == 15

    def test_a_schedule_is_active_while_a_worker_that_declares_it_lives(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        queue.periodic("@daily", "s")(nothing)
        assert not schedule(queue)["active"]
        thread = start_worker()
        until(lambda: schedule(queue)["active"])
        queue.shutdown(wait=True)
        thread.join(30)
        assert not schedule(queue)["active"]

    def test_a_paused_schedule_does_not_fire_until_it_is_resumed(
        self, queue: Queue, step: Callable[[], ManualWorker]
    ) -> None:
        queue.periodic(every=60, name="s")(nothing)
        worker = step()
        assert queue.pause_periodic("s")
        assert not schedule(queue)["enabled"]
        assert schedule(queue)["next_run"] is None
        worker.advance(600)
        assert queue.resume_periodic("s")
        assert schedule(queue)["enabled"]
        worker.advance(0)
        assert fires(queue) == []
        worker.advance(60)
        assert len(fires(queue)) == 1

    def test_a_pause_survives_restarts(self, queue: Queue) -> None:
        queue.periodic(every=60, name="s")(nothing)
        queue.pause_periodic("s")
        with manual_worker(queue) as worker:
            worker.advance(600)
        assert not schedule(queue)["enabled"]
        assert fires(queue) == []

    def test_a_deleted_schedule_is_gone_until_a_worker_that_declares_it_starts(
        self, queue: Queue
    ) -> None:
        queue.periodic(every=60, name="s")(nothing)
        assert queue.delete_periodic("s")
        assert queue.list_periodic() == []
        assert not queue.delete_periodic("s")
        with manual_worker(queue) as worker:
            assert schedule(queue)["enabled"]
            queue.delete_periodic("s")
            worker.advance(600)
            assert fires(queue) == []
            assert queue.list_periodic() == []

    def test_a_triggered_schedule_enqueues_one_job_now(
        self, queue: Queue, step: Callable[[], ManualWorker]
    ) -> None:
        queue.periodic("@yearly", "s", ("a",), max_retries=0)(lambda letter: letter)
        worker = step()
        before = schedule(queue)
        job = queue.trigger_periodic("s")
        assert worker.run() == [job]
        assert job.result() == "a"
        assert job.max_retries == 0
        after = schedule(queue)
        assert after["next_run"] == before["next_run"]
        assert after["last_job_id"] == job.id

    def test_a_schedule_can_be_triggered_and_paused_before_a_worker_ever_ran(
        self, queue: Queue
    ) -> None:
        queue.periodic("@yearly", "s")(nothing)
        assert queue.trigger_periodic("s").status == "pending"
        assert queue.pause_periodic("s")

    def test_an_unknown_name_is_told(self, queue: Queue) -> None:
        assert not queue.pause_periodic("x")
        assert not queue.resume_periodic("x")
        assert not queue.delete_periodic("x")
        with pytest.raises(ScheduleNotFoundError, match="no schedule is named 'x'") as caught:
            queue.trigger_periodic("x")
        assert isinstance(caught.value, KeyError)
        assert "list_periodic" in str(caught.value.hint)

    @pytest.mark.parametrize("verb", ["pause", "resume", "delete", "trigger"])
    def test_a_name_is_text(self, queue: Queue, verb: str) -> None:
        with pytest.raises(TypeError, match="name must be a str, got 5"):
            getattr(queue, f"{verb}_periodic")(5)

    def test_an_object_that_declares_nothing_sees_what_is_stored(self, queue: Queue) -> None:
        queue.periodic(every=60, name="s", args=("a",))(lambda letter: letter)
        queue.list_periodic()
        with Queue(queue.db_path) as operator:
            assert [row["name"] for row in operator.list_periodic()] == ["s"]
            assert operator.pause_periodic("s")
            assert operator.trigger_periodic("s").task_name == "s"
        assert not schedule(queue)["enabled"]


class TestCheck:
    def test_a_stored_schedule_that_does_not_fit_is_an_issue(self, queue: Queue) -> None:
        queue.periodic("@daily", "fits")(nothing)
        queue.periodic("@daily", "unfit", ("a",), queue="mail")(lambda letter: letter)
        queue.list_periodic()
        with Queue(queue.db_path) as other:
            other.task(name="fits")(nothing)
            other.task(name="unfit")(nothing)
            (issue,) = other.check()
            assert (issue.job_id, issue.schedule, issue.task_name) == (None, "unfit", "unfit")
            assert (issue.queue, issue.problem) == ("mail", "bad_arguments")
        with Queue(queue.db_path) as other:
            assert [issue.problem for issue in other.check()] == ["unknown_task"] * 2
