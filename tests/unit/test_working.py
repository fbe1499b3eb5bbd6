"""Workers: how they start, show themselves and end."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskito import Queue
from tests.support.until import until
from tests.unit.conftest import StartWorker


class Gate:
    """A task's function that says when it runs and waits to be let through."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self) -> str:
        self.entered.set()
        assert self.open.wait(30)
        return "through"


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()


class TestShow:
    def test_a_running_worker_is_listed_with_the_documented_keys(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        job = queue.task(name="t")(gate).delay()
        assert queue.workers() == []
        start_worker("default", workers=3)
        assert gate.entered.wait(30)
        (worker,) = queue.workers()
        assert " ".join(worker) == (
            "worker_id last_heartbeat queues status hostname pid started_at tasks concurrency "
            "running abandoned version"
        )
        assert worker["abandoned"] == 0
        assert worker["status"] == "active"
        assert (worker["queues"], worker["tasks"]) == (["default"], ["t"])
        assert worker["concurrency"] == 3
        gate.open.set()
        job.result()
        queue.shutdown(wait=True)
        assert queue.workers() == []


class TestEnd:
    def test_an_idle_worker_returns_at_once(self, queue: Queue, start_worker: StartWorker) -> None:
        queue.task(name="t")(lambda: None).delay()
        thread = start_worker(drain_timeout=600)
        until(lambda: queue.stats()["completed"] == 1)
        queue.shutdown()
        thread.join(30)
        assert not thread.is_alive()

    def test_shutdown_lets_a_running_job_finish(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        task = queue.task(name="t")(gate)
        running = task.delay()
        thread = start_worker(workers=1)
        assert gate.entered.wait(30)
        queue.shutdown()
        waiting = task.delay()
        gate.open.set()
        assert running.result() == "through"
        thread.join(30)
        assert not thread.is_alive()
        assert waiting.status == "pending"

    def test_programs_for_0_2_end_a_worker_by_its_engine(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        worker = start_worker()
        until(queue.workers)
        queue._inner.request_shutdown()
        worker.join(30)
        assert not worker.is_alive()

    def test_shutdown_now_hands_it_back_without_waiting(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        job = queue.task(name="t")(gate).delay()
        thread = start_worker(drain_timeout=600)
        assert gate.entered.wait(30)
        queue.shutdown(now=True)
        thread.join(30)
        assert not thread.is_alive()
        assert (job.status, job.retry_count, job.errors) == ("pending", 0, [])
        gate.open.set()
        assert not job.wait(0.05), "a job that was handed back must not be settled"

    def test_the_drain_timeout_hands_it_back(
        self, queue: Queue, start_worker: StartWorker, gate: Gate
    ) -> None:
        job = queue.task(name="t")(gate).delay()
        thread = start_worker(drain_timeout=0.05)
        assert gate.entered.wait(30)
        queue.shutdown(wait=True)
        thread.join(30)
        assert not thread.is_alive()
        assert job.status == "pending"

    def test_threads_end_with_the_worker(self, queue: Queue, start_worker: StartWorker) -> None:
        queue.task(name="t")(lambda: None).delay()
        before = threading.active_count()
        thread = start_worker(workers=4)
        until(lambda: queue.stats()["completed"] == 1)
        queue.shutdown()
        thread.join(30)
        until(lambda: threading.active_count() <= before)

    def test_a_queue_may_run_workers_again(self, queue: Queue, start_worker: StartWorker) -> None:
        task = queue.task(name="t")(lambda x: x)
        for number in range(3):
            job = task.delay(number)
            thread = start_worker()
            assert job.result() == number
            queue.shutdown(wait=True)
            thread.join(30)

    def test_an_end_asked_for_before_the_start_is_not_forgotten(self, queue: Queue) -> None:
        job = queue.task(name="t")(lambda: None).delay()
        worker = queue._worker()
        worker.drain()
        queue._run(worker)
        assert worker.join(0)
        assert job.wait(0) == (job.status == "complete")
        assert queue.workers() == []

    def test_an_error_at_the_start_ends_the_worker(self, queue: Queue) -> None:
        def fail() -> None:
            raise OSError("no terminal")

        before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
        with pytest.raises(OSError, match="no terminal"):
            queue._run(queue._worker(), fail)
        assert queue.workers() == []
        assert [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
        queue.shutdown(wait=True)

    @pytest.mark.parametrize("bad", [{"workers": -1}, {"drain_timeout": -1}, {"queues": [1]}])
    def test_bad_arguments_start_nothing(self, queue: Queue, bad: dict[str, object]) -> None:
        with pytest.raises((ValueError, TypeError)):
            queue.run_worker(**bad)  # type: ignore[arg-type]


class TestSignal:
    """In the main thread, where pytest runs tests."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_the_first_drains_and_handlers_are_restored(
        self, queue: Queue, number: signal.Signals
    ) -> None:
        before = signal.getsignal(number)

        @queue.task(name="t")
        def ask() -> str:
            signal.raise_signal(number)
            return "finished"

        job = ask.delay()
        queue.run_worker()
        assert job.status == "complete"
        assert signal.getsignal(number) is before

    def test_the_second_stops_at_once(self, queue: Queue, gate: Gate) -> None:
        @queue.task(name="t")
        def ask_twice() -> None:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            gate()

        job = ask_twice.delay()
        assert queue._run(queue._worker(drain_timeout=600)) == signal.SIGTERM
        assert job.status == "pending"

    def test_other_threads_install_no_handlers(
        self, queue: Queue, start_worker: StartWorker
    ) -> None:
        before = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
        job = queue.task(name="t")(
            lambda: [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)] == before
        ).delay()
        start_worker()
        assert job.result() is True


class TestAwait:
    def test_the_loop_stays_free_and_shutdown_ends_it(self, queue: Queue) -> None:
        async def main() -> str:
            worker = asyncio.create_task(queue.arun_worker(workers=1))
            job = queue.task(name="t")(lambda: "ran").delay()
            await asyncio.to_thread(job.wait, 30)
            queue.shutdown()
            await worker
            return job.result()

        assert asyncio.run(main()) == "ran"

    def test_cancellation_drains_first(self, queue: Queue, gate: Gate) -> None:
        async def main() -> None:
            worker = asyncio.create_task(queue.arun_worker(workers=1))
            await asyncio.to_thread(gate.entered.wait, 30)
            worker.cancel()
            await asyncio.sleep(0)
            assert not worker.done()
            gate.open.set()
            with contextlib.suppress(asyncio.CancelledError):
                await worker
            assert worker.cancelled()

        job = queue.task(name="t")(gate).delay()
        asyncio.run(main())
        assert job.status == "complete"

    def test_a_second_cancellation_stops_at_once(self, queue: Queue, gate: Gate) -> None:
        async def main() -> None:
            worker = asyncio.create_task(queue.arun_worker(workers=1, drain_timeout=600))
            await asyncio.to_thread(gate.entered.wait, 30)
            for _ in range(2):
                worker.cancel()
                await asyncio.sleep(0)
            with contextlib.suppress(asyncio.CancelledError):
                await worker
            assert worker.cancelled()

        job = queue.task(name="t")(gate).delay()
        asyncio.run(main())
        assert job.status == "pending"

    def test_an_error_is_raised_where_it_is_awaited(self, queue: Queue) -> None:
        with pytest.raises(ValueError, match="workers"):
            asyncio.run(queue.arun_worker(workers=-1))


class TestExit:
    @pytest.mark.parametrize("job", ["None", "__import__('time').sleep(60)"])
    def test_a_worker_in_a_daemon_thread_does_not_hold_the_interpreter(
        self, tmp_path: Path, job: str
    ) -> None:
        program = tmp_path / "program.py"
        program.write_text(
            "import sys, threading\n"
            "from taskito import Queue\n"
            "queue = Queue('jobs.db', workers=4)\n"
            "started = threading.Event()\n"
            "@queue.task\n"
            "def run():\n"
            "    started.set()\n"
            f"    {job}\n"
            "run.delay()\n"
            "threading.Thread(target=queue.run_worker, daemon=True).start()\n"
            "assert started.wait(30)\n"
            "sys.exit(7)\n"
        )
        done = subprocess.run(
            [sys.executable, str(program)],
            cwd=tmp_path,
            capture_output=True,
            timeout=30,  # and a job of one minute
            check=False,
        )
        assert (done.returncode, done.stderr) == (7, b"")
        with Queue(tmp_path / "jobs.db") as queue:
            assert queue.workers() == []
            stats = queue.stats()
            assert stats["pending"] + stats["completed"] == 1
