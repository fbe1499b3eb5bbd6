"""What holds for every call: ids, durations, sequences, threads. Long: it lists every call."""

import asyncio
import itertools
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from taskito import JobResult, Queue, Retry, Snooze, TaskWrapper, current_job
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.support.working import working
from tests.unit.conftest import StartWorker

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NAN, INFINITY = float("nan"), float("inf")


@pytest.fixture
def task(queue: Queue) -> TaskWrapper[..., Any]:
    return queue.task(name="t")(lambda *args, **kwargs: (args, kwargs))


class TestIds:
    def test_all_are_lower_case_uuids_of_version_7(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        @queue.task(name="t", max_retries=0)
        def fail() -> None:
            current_job.log("on the way down")
            raise OSError

        job = fail.delay()
        start_worker()
        job.wait()
        queue.replay(job.id)
        ids = [
            job.id,
            queue.dead_letters()[0]["id"],
            queue.job_errors(job.id)[0]["id"],
            queue.task_logs(job.id)[0]["id"],
            queue.replay_history(job.id)[0]["id"],
            queue.workers()[0]["worker_id"],
        ]
        assert len(set(ids)) == len(ids)
        for found in ids:
            assert UUID7.fullmatch(found), found

    def test_those_of_jobs_increase_from_call_to_call(self, queue: Queue, tmp_path: Path) -> None:
        ids: list[str] = []
        with Queue(tmp_path / "other.db", durability="normal") as other:
            for number in range(300):
                target = (queue, other)[number % 2]
                ids.append(target.enqueue("t").id)
                ids += [job.id for job in target.enqueue_many("t", [()] * 3)]
        assert all(earlier < later for earlier, later in itertools.pairwise(ids))

    def test_those_of_jobs_increase_whichever_thread_enqueues_them(self, queue: Queue) -> None:
        turn = threading.Lock()
        ids: list[str] = []

        def enqueue() -> None:
            for _ in range(50):
                with turn:
                    ids.append(queue.enqueue("t").id)

        threads = [threading.Thread(target=enqueue) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert ids == sorted(ids)


DURATIONS: dict[str, Callable[[Queue, TaskWrapper[..., Any], Any], object]] = {
    "default_timeout": lambda _q, _t, value: Queue(default_timeout=value),
    "result_ttl of a queue": lambda _q, _t, value: Queue(result_ttl=value),
    "drain_timeout": lambda _q, _t, value: Queue(drain_timeout=value),
    "drain_timeout of a worker": lambda q, _t, value: q._worker(None, None, value),
    "delay": lambda _q, t, value: t.apply_async(delay=value),
    "timeout": lambda _q, t, value: t.apply_async(timeout=value),
    "expires": lambda _q, t, value: t.apply_async(expires=value),
    "result_ttl": lambda _q, t, value: t.apply_async(result_ttl=value),
    "delay of enqueue": lambda q, _t, value: q.enqueue("t", delay=value),
    "timeout of enqueue_many": lambda q, _t, value: q.enqueue_many("t", [()], timeout=value),
    "expires in options_list": lambda q, _t, value: q.enqueue_many(
        "t", [()], options_list=[{"expires": value}]
    ),
    "delay of options": lambda _q, t, value: t.options(delay=value).delay(),
    "delay of a step": lambda _q, t, value: t.s().set(delay=value).apply(),
    "timeout of a task": lambda q, _t, value: q.task(timeout=value),
    "retry_backoff": lambda q, _t, value: q.task(retry_backoff=value),
    "retry_delays": lambda q, _t, value: q.task(retry_delays=[value]),
    "max_retry_delay": lambda q, _t, value: q.task(max_retry_delay=value),
    "soft_timeout": lambda q, _t, value: q.task(soft_timeout=value),
    "window": lambda q, _t, value: q.task(circuit_breaker={"window": value}),
    "cooldown": lambda q, _t, value: q.task(circuit_breaker={"cooldown": value}),
    "every": lambda q, _t, value: q.periodic(every=value),
    "since of metrics": lambda q, _t, value: q.metrics(since=value),
    "since of query_logs": lambda q, _t, value: q.query_logs(since=value),
    "purge_completed": lambda q, _t, value: q.purge_completed(value),
    "purge_jobs": lambda q, _t, value: q.purge_jobs("dead", older_than=value),
    "purge_dead": lambda q, _t, value: q.purge_dead(value),
    "wait": lambda _q, t, value: cancelled(t).wait(value),
    "await_": lambda _q, t, value: asyncio.run(cancelled(t).await_(value)),
    "result": lambda _q, t, value: finished(t).result(value),
    "poll_interval": lambda _q, t, value: finished(t).result(0, value),
    "max_poll_interval": lambda _q, t, value: finished(t).result(0, 1, value),
    "aresult": lambda _q, t, value: asyncio.run(finished(t).aresult(value)),
    "Retry": lambda _q, _t, value: Retry(value),
    "Snooze": lambda _q, _t, value: Snooze(value),
}


def cancelled(task: TaskWrapper[..., Any]) -> JobResult[Any]:
    job = task.delay()
    job.cancel()
    return job


def finished(task: TaskWrapper[..., Any]) -> JobResult[Any]:
    """A job of which there is a result."""
    queue = task._producer
    with Queue(queue._database.path) as own:
        own.task(name="t")(int)
        job = own.enqueue("t")
        with working(own):
            job.wait(30)
    return JobResult(queue._database, queue._serializer, job.id)


class TestDurations:
    @pytest.mark.parametrize("call", DURATIONS.values(), ids=DURATIONS)
    @pytest.mark.parametrize("value", [2, 1.5, timedelta(seconds=3)], ids=str)
    def test_are_numbers_of_seconds_or_timedeltas(
        self,
        queue: Queue,
        task: TaskWrapper[..., Any],
        call: Callable[[Queue, TaskWrapper[..., Any], Any], object],
        value: object,
    ) -> None:
        call(queue, task, value)

    @pytest.mark.parametrize("call", DURATIONS.values(), ids=DURATIONS)
    @pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
    def test_must_be_finite(
        self,
        queue: Queue,
        task: TaskWrapper[..., Any],
        call: Callable[[Queue, TaskWrapper[..., Any], Any], object],
        value: float,
    ) -> None:
        with pytest.raises(ValueError, match=r"must be finite, got -?(nan|inf)"):
            call(queue, task, value)
        assert queue.count_jobs("pending") == 0

    @pytest.mark.parametrize("call", DURATIONS.values(), ids=DURATIONS)
    def test_are_no_text(
        self,
        queue: Queue,
        task: TaskWrapper[..., Any],
        call: Callable[[Queue, TaskWrapper[..., Any], Any], object],
    ) -> None:
        with pytest.raises(TypeError, match=r"must be seconds \(a number\) or a timedelta"):
            call(queue, task, "1m")
        assert queue.count_jobs("pending") == 0

    @pytest.mark.parametrize(
        ("seconds", "stored"), [(0.0014, 1), (0.0016, 2), (timedelta(microseconds=2600), 3)]
    )
    def test_are_rounded_to_whole_milliseconds(
        self, task: TaskWrapper[..., Any], seconds: Any, stored: int
    ) -> None:
        job = task.apply_async(delay=seconds, timeout=seconds)
        facts = job.to_dict()
        assert facts["timeout_ms"] == facts["scheduled_at"] - facts["created_at"] == stored

    def test_a_deadline_given_as_a_timedelta_is_told_in_seconds(
        self, task: TaskWrapper[..., Any]
    ) -> None:
        with pytest.raises(TimeoutError, match=r"did not complete within 0\.05s \(current"):
            task.delay().result(timedelta(milliseconds=50))


SEQUENCES: dict[str, Callable[[], Iterable[object]]] = {
    "tuple": lambda: (1, 2),
    "list": lambda: [1, 2],
    "generator": lambda: (number for number in (1, 2)),
    "range": lambda: range(1, 3),
    "deque": lambda: deque([1, 2]),
    "map": lambda: map(int, ["1", "2"]),
    "keys": {1: None, 2: None}.keys,
}


class TestSequences:
    @pytest.mark.parametrize("make", SEQUENCES.values(), ids=SEQUENCES)
    def test_any_iterable_holds_arguments(
        self, queue: Queue, task: TaskWrapper[..., Any], make: Callable[[], Any]
    ) -> None:
        jobs = [
            queue.enqueue("t", make()),
            *queue.enqueue_many("t", iter([make()])),
            task.apply_async(make()),
            *task.map(iter([make()])),
        ]
        queue.periodic("@daily", "s", make())(task)
        with manual_worker(queue) as worker:
            jobs.append(queue.trigger_periodic("s"))
            worker.run()
            assert [job.result(0) for job in jobs] == [((1, 2), {})] * 5

    def test_so_do_lists_of_keyword_arguments_and_of_options(self, queue: Queue) -> None:
        jobs = queue.enqueue_many(
            "t",
            ((number,) for number in range(3)),
            ({"k": number} for number in range(3)),
            options_list=({"priority": number} for number in range(3)),
        )
        assert [job.priority for job in jobs] == [0, 1, 2]

    def test_no_entry_of_keyword_arguments_means_none(self, queue: Queue) -> None:
        assert len(queue.enqueue_many("t", [(), ()], [None, {"a": 1}])) == 2

    def test_a_text_is_no_sequence_of_arguments_anywhere(
        self, queue: Queue, task: TaskWrapper[..., Any]
    ) -> None:
        uses: list[Callable[[], object]] = [
            lambda: queue.enqueue("t", "ab"),
            lambda: queue.enqueue_many("t", ["ab"]),
            lambda: task.apply_async("ab"),
            lambda: task.map(["ab"]),
            lambda: task.options(priority=1).map(["ab"]),
            lambda: queue.periodic("@daily", "s", "ab"),
            lambda: queue.enqueue("t", ""),
        ]
        for use in uses:
            with pytest.raises(TypeError, match=r"args must be a seq.* got the str .*\nhint: "):
                use()
        assert queue.stats()["pending"] == 0


class TestOptions:
    @pytest.mark.parametrize(
        ("wrong", "meant"),
        [("retries", "max_retries"), ("prio", "priority"), ("countdown", "delay")],
    )
    def test_an_unknown_one_names_the_nearest_that_there_is(
        self, queue: Queue, task: TaskWrapper[..., Any], wrong: str, meant: str
    ) -> None:
        given: dict[str, Any] = {wrong: 1}
        uses: list[Callable[[], object]] = [
            lambda: queue.enqueue("t", **given),
            lambda: queue.enqueue_many("t", [()], **given),
            lambda: queue.enqueue_many("t", [()], options_list=[given]),
            lambda: task.apply_async(**given),
            lambda: task.options(**given),
            lambda: task.s().set(**given),
            lambda: asyncio.run(queue.aenqueue("t", **given)),
            lambda: asyncio.run(queue.aenqueue_many("t", [()], **given)),
            lambda: asyncio.run(task.aapply_async(**given)),
        ]
        for use in uses:
            message = rf"unknown option '{wrong}' .*\nhint: did you mean '{meant}'\? Options: "
            with pytest.raises(TypeError, match=message):
                use()
        assert queue.stats()["pending"] == 0

    def test_so_does_an_unknown_one_of_a_queue(self) -> None:
        given: dict[str, Any] = {"worker": 3}
        with pytest.raises(TypeError, match=r"unknown option 'worker' .*\nhint: .*'workers'\?"):
            Queue(**given)

    def test_a_mistake_of_another_kind_is_told_as_python_does(
        self, queue: Queue, task: TaskWrapper[..., Any]
    ) -> None:
        missing: Any = queue.enqueue
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'task_name'"):
            missing()
        twice: dict[str, Any] = {"args": ()}
        with pytest.raises(TypeError, match="multiple values for argument 'args'"):
            task.apply_async((), **twice)


class TestThreads:
    def test_one_queue_task_and_handle_serve_many_threads_and_loops_at_once(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        double = queue.task(name="double")(lambda number: 2 * number)
        gate = threading.Event()
        shared = queue.task(name="shared")(lambda: gate.wait(30)).delay()

        async def use(number: int) -> list[Any]:
            jobs = [await double.adelay(number), await queue.aenqueue("double", [number])]
            jobs.append(await double.s(number).aapply())
            return [*[await job.aresult() for job in jobs], await shared.aresult()]

        def in_a_loop(number: int) -> list[Any]:
            return asyncio.run(use(number))

        def in_a_thread(number: int) -> list[Any]:
            jobs = [double.delay(number), queue.enqueue("double", [number])]
            jobs.append(double.s(number).apply())
            return [*[job.result() for job in jobs], shared.result()]

        start_worker(workers=2)
        with ThreadPoolExecutor(8) as pool:
            told = [
                pool.submit((in_a_loop, in_a_thread)[number % 2], number) for number in range(8)
            ]
            until(lambda: queue.stats()["completed"] == 24)
            gate.set()
            for number, answer in enumerate(told):
                assert answer.result() == [2 * number] * 3 + [True]
