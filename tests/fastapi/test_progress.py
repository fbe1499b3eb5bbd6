"""The stream that follows a job."""

import threading
from typing import Any

import httpx
import pytest

from taskito import Queue, current_job
from tests.fastapi.conftest import events_of
from tests.support.until import until


class TestProgress:
    @pytest.mark.usefixtures("worker")
    def test_of_a_finished_job_is_one_event(self, client: httpx.Client, queue: Queue) -> None:
        @queue.task
        def work() -> None:
            current_job.update_progress(40)

        job = work.delay()
        job.result()
        response = client.get(f"jobs/{job.id}/progress")
        assert response.text == 'data: {"status": "complete", "progress": 40}\n\n'
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-accel-buffering"] == "no"

    @pytest.mark.usefixtures("worker")
    def test_of_a_job_that_died_or_was_cancelled_is_one_event_too(
        self, client: httpx.Client, queue: Queue
    ) -> None:
        @queue.task(max_retries=0)
        def bad() -> None:
            raise OSError

        dead, cancelled = bad.delay(), queue.enqueue("unknown")
        dead.wait()
        cancelled.cancel()
        for job, status in ((dead, "dead"), (cancelled, "cancelled")):
            text = client.get(f"jobs/{job.id}/progress").text
            assert text == f'data: {{"status": "{status}", "progress": null}}\n\n'

    @pytest.mark.usefixtures("worker")
    def test_follows_a_job_to_its_end(self, client: httpx.Client, queue: Queue) -> None:
        steps = [threading.Event() for _ in range(2)]

        @queue.task
        def work() -> None:
            for number, step in enumerate(steps):
                current_job.update_progress(10 * (number + 1))
                step.wait(30)

        job = work.delay()
        text = ""
        with client.stream("GET", f"jobs/{job.id}/progress") as response:
            for part in response.iter_text():
                text += part
                for number, step in enumerate(steps):
                    if f'"progress": {10 * (number + 1)}}}' in part:
                        step.set()
        events = events_of(text)
        assert {"status": "running", "progress": 10} in events
        assert {"status": "running", "progress": 20} in events
        assert events[-1] == {"status": "complete", "progress": 20}
        assert [event["status"] for event in events].count("complete") == 1

    def test_says_the_same_again_every_half_second(
        self, client: httpx.Client, queue: Queue
    ) -> None:
        job = queue.enqueue("unknown")
        lines: list[str] = []
        with client.stream("GET", f"jobs/{job.id}/progress") as response:
            for line in response.iter_lines():
                lines.append(line)
                if len(lines) == 6:
                    break
        assert lines == ['data: {"status": "pending", "progress": null}', ""] * 3

    def test_ends_when_the_job_is_cancelled(self, client: httpx.Client, queue: Queue) -> None:
        job = queue.enqueue("unknown")
        text = ""
        with client.stream("GET", f"jobs/{job.id}/progress") as response:
            for part in response.iter_text():
                text += part
                queue.cancel_job(job.id)
        assert events_of(text)[-1] == {"status": "cancelled", "progress": None}

    def test_ends_when_the_row_vanishes(self, client: httpx.Client, queue: Queue) -> None:
        job = queue.enqueue("unknown")
        text = ""
        with client.stream("GET", f"jobs/{job.id}/progress") as response:
            for part in response.iter_text():
                if not text:
                    with queue._database as store:
                        assert store.cancel(job.id)
                        assert store.purge("cancelled", before=2**50)[0] == 1
                text += part
        events = events_of(text)
        assert events[0] == {"status": "pending", "progress": None}
        assert events[-1] == {"status": "not_found"}

    def test_of_many_streams_reads_in_one_thread(
        self, client: httpx.Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        job = queue.enqueue("unknown")
        readers: list[str] = []
        real = queue.get_job

        def counted(job_id: str) -> Any:
            readers.append(threading.current_thread().name)
            return real(job_id)

        monkeypatch.setattr(queue, "get_job", counted)

        def follow(texts: list[str]) -> None:
            texts.append(client.get(f"jobs/{job.id}/progress").text)

        texts: list[str] = []
        threads = [threading.Thread(target=follow, args=(texts,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: len(readers) > 20)
        queue.cancel_job(job.id)
        for thread in threads:
            thread.join(30)
        assert len(texts) == 8
        assert {events_of(text)[-1]["status"] for text in texts} == {"cancelled"}
