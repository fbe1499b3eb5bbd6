"""Every route over HTTP: what it answers, and what it refuses."""

import threading
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from taskito import Queue, current_job
from taskito.contrib.fastapi import TaskitoRouter
from tests.fastapi.conftest import NOBODY, Serve, answer
from tests.support.until import until

KEYS = {
    *("id", "queue", "task_name", "status", "priority", "progress", "retry_count"),
    *("max_retries", "created_at", "scheduled_at", "started_at", "completed_at", "error"),
    *("timeout_ms", "unique_key", "metadata"),
}


class TestReading:
    def test_stats_are_the_six_counts(self, client: httpx.Client, queue: Queue) -> None:
        queue.enqueue("anything")
        assert answer(client.get("stats")) == queue.stats()
        assert answer(client.get("stats"))["pending"] == 1

    def test_a_job_is_its_sixteen_keys(self, client: httpx.Client, queue: Queue) -> None:
        job = queue.enqueue("anything", metadata="x", unique_key="u", priority=7)
        found = answer(client.get(f"jobs/{job.id}"))
        assert found.keys() == KEYS
        assert found == job.to_dict()

    @pytest.mark.parametrize("path", ["", "/result", "/progress", "/why", "/result?timeout=1"])
    @pytest.mark.parametrize("job_id", [NOBODY, "x", "%00", "%FF", "a" * 3000])
    def test_of_an_unknown_job_is_404(self, client: httpx.Client, path: str, job_id: str) -> None:
        assert answer(client.get(f"jobs/{job_id}{path}"), 404) == {"detail": "Job not found"}

    def test_lists_of_an_unknown_job_are_empty(self, client: httpx.Client) -> None:
        assert answer(client.get(f"jobs/{NOBODY}/errors")) == []
        assert answer(client.get(f"jobs/{NOBODY}/logs")) == []

    @pytest.mark.usefixtures("worker")
    def test_errors_logs_and_dead_letters_have_their_keys(
        self, client: httpx.Client, queue: Queue
    ) -> None:
        @queue.task(name="bad", max_retries=1, retry_backoff=0)
        def bad() -> None:
            current_job.log("about to fail", level="warning", extra={"n": 1})
            raise KeyError("gone")

        job = bad.options(metadata={"tenant": 7}).delay()
        job.wait()
        errors = answer(client.get(f"jobs/{job.id}/errors"))
        assert errors == queue.job_errors(job.id)
        assert [error["attempt"] for error in errors] == [0, 1]
        logs = answer(client.get(f"jobs/{job.id}/logs"))
        assert logs == queue.task_logs(job.id)
        assert logs[0]["extra"] == '{"n":1}'
        letters = answer(client.get("dead-letters"))
        assert letters == queue.dead_letters()
        assert letters[0].keys() == {
            *("id", "original_job_id", "queue", "task_name", "error", "retry_count"),
            *("failed_at", "metadata"),
        }

    def test_a_job_that_waits_says_why(self, client: httpx.Client, queue: Queue) -> None:
        job = queue.enqueue("anything", delay=1000)
        found = answer(client.get(f"jobs/{job.id}/why"))
        assert (found["job_id"], found["status"], found["ready"]) == (job.id, "pending", False)
        reasons = {reason["code"]: reason for reason in found["reasons"]}
        assert reasons["scheduled"]["until"] == job.scheduled_at
        assert reasons["no_worker"].keys() == {"code", "message", "until", "details"}

    def test_queues_are_listed(self, client: httpx.Client, queue: Queue) -> None:
        queue.enqueue("anything", queue="mails")
        queue.set_queue_rate_limit("mails", "10/s")
        (found,) = answer(client.get("queues"))
        assert found == queue.list_queues()[0]
        assert found["rate_limit"] == "10/s"


class TestListingJobs:
    def test_goes_by_filters_and_pages(self, client: httpx.Client, queue: Queue) -> None:
        jobs = [queue.enqueue("one", metadata=f"n={n}") for n in range(3)]
        other = queue.enqueue("two", queue="mails")
        jobs[0].cancel()

        def ids(**query: object) -> list[str]:
            found = answer(client.get("jobs", params=query))  # type: ignore[arg-type]
            return [job["id"] for job in found]

        newest_first = [other.id, *[job.id for job in reversed(jobs)]]
        assert ids() == newest_first
        assert ids(status="cancelled") == [jobs[0].id]
        assert ids(status="failed") == []
        assert ids(queue="mails") == ids(task_name="two") == ids(task="two") == [other.id]
        assert ids(metadata="n=1") == [jobs[1].id]
        assert ids(error="boom") == []
        assert ids(created_after=other.created_at + 1000) == []
        assert ids(created_before=jobs[0].created_at) == []
        assert ids(limit=2, offset=1) == newest_first[1:3]

        page = client.get("jobs", params={"limit": 3})
        assert [job["id"] for job in answer(page)] == newest_first[:3]
        last = client.get("jobs", params={"limit": 3, "cursor": page.headers["X-Next-Cursor"]})
        assert [job["id"] for job in answer(last)] == newest_first[3:]
        assert "X-Next-Cursor" not in last.headers

    @pytest.mark.parametrize(
        "query",
        [
            *("status=lost", "limit=0", "limit=501", "offset=-1", f"offset={2**70}", "limit=x"),
            *("cursor=nonsense", "created_after=yesterday", f"created_before={2**70}"),
        ],
    )
    def test_refuses_bad_queries(self, client: httpx.Client, query: str) -> None:
        assert answer(client.get(f"jobs?{query}"), 422)["detail"]


class TestActing:
    def test_cancels_a_pending_job_once(self, client: httpx.Client, queue: Queue) -> None:
        job = queue.enqueue("unknown")
        assert answer(client.post(f"jobs/{job.id}/cancel")) == {"cancelled": True}
        assert job.status == "cancelled"
        assert answer(client.post(f"jobs/{job.id}/cancel")) == {"cancelled": False}
        assert answer(client.post(f"jobs/{NOBODY}/cancel")) == {"cancelled": False}

    @pytest.mark.usefixtures("worker")
    def test_a_running_job_is_not_cancelled(self, client: httpx.Client, queue: Queue) -> None:
        leave = threading.Event()

        @queue.task
        def wait() -> bool:
            return leave.wait(30)

        job = wait.delay()
        until(lambda: job.status == "running")
        assert answer(client.post(f"jobs/{job.id}/cancel")) == {"cancelled": False}
        leave.set()
        assert job.result(timeout=30) is True

    @pytest.mark.usefixtures("worker")
    def test_dead_letters_are_retried_or_deleted(self, client: httpx.Client, queue: Queue) -> None:
        @queue.task(max_retries=0)
        def bad() -> None:
            raise OSError

        for job in bad.map([(), ()]):
            job.wait()
        first, second = queue.dead_letters()
        queue.pause()
        found = answer(client.post(f"dead-letters/{first['id']}/retry"))
        retried = queue.get_job(found["new_job_id"])
        assert retried is not None
        assert retried.status == "pending"
        assert answer(client.delete(f"dead-letters/{second['id']}")) == {"deleted": True}
        assert queue.dead_letters() == []
        gone = {"detail": "Dead letter not found"}
        for letter in (first["id"], second["id"], NOBODY, "x"):
            assert answer(client.post(f"dead-letters/{letter}/retry"), 404) == gone
            assert answer(client.delete(f"dead-letters/{letter}"), 404) == gone

    @pytest.mark.usefixtures("worker")
    def test_dead_letters_are_read_page_by_page(self, client: httpx.Client, queue: Queue) -> None:
        @queue.task(max_retries=0)
        def bad() -> None:
            raise OSError

        for job in bad.map([()] * 21):
            job.wait()
        every = queue.dead_letters(100)
        assert len(every) == 21
        assert answer(client.get("dead-letters")) == every[:20]
        assert answer(client.get("dead-letters?offset=20")) == every[20:]
        assert answer(client.get("dead-letters?limit=2&offset=3")) == every[3:5]
        assert answer(client.get("dead-letters?limit=100")) == every

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "offset=-1", f"offset={2**70}"])
    def test_lists_of_dead_letters_refuse_bad_queries(
        self, client: httpx.Client, query: str
    ) -> None:
        answer(client.get(f"dead-letters?{query}"), 422)

    def test_a_healthy_queue_is_ok(self, client: httpx.Client) -> None:
        assert answer(client.get("healthz")) == {"status": "ok"}

    def test_a_queue_that_cannot_be_read_is_unavailable(self, tmp_path: Path, serve: Serve) -> None:
        (tmp_path / "broken.db").write_text("this is no database, however long one looks at it")
        app = FastAPI()
        app.include_router(TaskitoRouter(Queue(tmp_path / "broken.db")))
        assert answer(serve(app).get("healthz"), 503) == {"status": "unavailable"}


class TestStrict:
    def test_what_cannot_be_cancelled_is_a_conflict(self, queue: Queue, serve: Serve) -> None:
        app = FastAPI()
        app.include_router(TaskitoRouter(queue, strict=True))
        client = serve(app)
        job = queue.enqueue("unknown")
        assert answer(client.post(f"jobs/{job.id}/cancel")) == {"cancelled": True}
        found = answer(client.post(f"jobs/{job.id}/cancel"), 409)
        assert found == {"detail": "Job is not pending but cancelled"}
        found = answer(client.post(f"jobs/{NOBODY}/cancel"), 404)
        assert found == {"detail": "Job not found"}
