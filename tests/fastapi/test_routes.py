"""Every route over HTTP: what it answers, and what it refuses."""

import math
import threading
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI, HTTPException

from taskito import Queue, current_job
from taskito.contrib.fastapi import TaskitoRouter
from tests.fastapi.conftest import Serve, events_of
from tests.support.until import until

NOBODY = "01a21380-dba1-753b-addf-f5286503ed60"
KEYS = {
    *("id", "queue", "task_name", "status", "priority", "progress", "retry_count"),
    *("max_retries", "created_at", "scheduled_at", "started_at", "completed_at", "error"),
    *("timeout_ms", "unique_key", "metadata"),
}


class Colour(IntEnum):
    RED = 3


class Mute:
    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.fixture
def client(queue: Queue, serve: Serve) -> httpx.Client:
    app = FastAPI()
    app.include_router(TaskitoRouter(queue), prefix="/tasks")
    client = serve(app)
    client.base_url = client.base_url.join("/tasks/")
    return client


def answer(response: httpx.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


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


@pytest.mark.usefixtures("worker")
class TestResults:
    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            (None, None),
            ("text", "text"),
            (7, 7),
            (10**100, 10**100),
            (1.5, 1.5),
            (True, True),
            ([1, (2, 3)], [1, [2, 3]]),
            ({"a": {1: "x"}, None: 2}, {"a": {"1": "x"}, "None": 2}),
            (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
            ({3}, "{3}"),
            (b"bytes", "b'bytes'"),
            (Path("/etc"), "/etc"),
            (Colour.RED, 3),
            ([math.nan, math.inf], ["nan", "inf"]),
            ("\ud800", "\\ud800"),
            ([Mute()], ["<Mute that cannot be shown>"]),
            ([10**5000], ["<int that cannot be shown>"]),
        ],
    )
    def test_are_json_whatever_they_are(
        self, client: httpx.Client, queue: Queue, value: object, shown: object
    ) -> None:
        @queue.task
        def give() -> object:
            return value

        job = give.delay()
        found = answer(client.get(f"jobs/{job.id}/result", params={"timeout": 10}))
        assert found == {"id": job.id, "status": "complete", "result": shown, "error": None}

    def test_of_any_depth_are_answered(self, client: httpx.Client, queue: Queue) -> None:
        @queue.task
        def deep() -> object:
            loop: list[Any] = []
            loop.append(loop)
            nested: Any = 0
            for _ in range(150):
                nested = [nested]
            return [loop, nested]

        job = deep.delay()
        found = answer(client.get(f"jobs/{job.id}/result?timeout=10"))
        inner = found["result"][1]
        for _ in range(99):
            (inner,) = inner
        assert inner.startswith("[[[")

    def test_of_jobs_that_have_not_ended_say_how_they_stand(
        self, client: httpx.Client, queue: Queue
    ) -> None:
        job = queue.enqueue("unknown")
        pending = {"id": job.id, "status": "pending", "result": None, "error": None}
        assert answer(client.get(f"jobs/{job.id}/result")) == pending
        assert answer(client.get(f"jobs/{job.id}/result?timeout=0.2")) == pending

    def test_of_failed_and_cancelled_jobs_say_why(self, client: httpx.Client, queue: Queue) -> None:
        @queue.task(max_retries=0)
        def bad() -> None:
            raise KeyError("gone")

        job = bad.delay()
        found = answer(client.get(f"jobs/{job.id}/result?timeout=10"))
        assert (found["status"], found["result"]) == ("dead", None)
        assert found["error"].endswith("KeyError: 'gone'")
        never = queue.enqueue("unknown", expires=0)
        found = answer(client.get(f"jobs/{never.id}/result?timeout=10"))
        assert (found["status"], found["error"]) == ("cancelled", "expired before execution")

    def test_that_cannot_be_decoded_say_so(self, client: httpx.Client, queue: Queue) -> None:
        class Mine:
            def __reduce__(self) -> tuple[Any, ...]:
                return (eval, ("no_such_name",))

        @queue.task
        def give() -> object:
            return Mine()

        job = give.delay()
        found = answer(client.get(f"jobs/{job.id}/result?timeout=10"))
        assert (found["status"], found["result"]) == ("complete", None)
        assert "cannot be decoded" in found["error"]

    def test_come_when_the_job_ends_not_at_the_deadline(
        self, client: httpx.Client, queue: Queue
    ) -> None:
        leave = threading.Event()

        @queue.task
        def wait() -> int:
            return int(leave.wait(20))

        job = wait.delay()
        until(lambda: job.status == "running", within=10)
        threading.Timer(0.2, leave.set).start()
        response = client.get(f"jobs/{job.id}/result?timeout=300")
        assert answer(response)["result"] == 1

    @pytest.mark.parametrize("timeout", ["-1", "300.1", "nan", "inf", "x", ""])
    def test_for_a_wrong_timeout_are_refused(
        self, client: httpx.Client, queue: Queue, timeout: str
    ) -> None:
        job = queue.enqueue("unknown")
        answer(client.get(f"jobs/{job.id}/result", params={"timeout": timeout}), 422)


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
    def test_follows_a_job_to_its_end(self, client: httpx.Client, queue: Queue) -> None:
        steps = [threading.Event() for _ in range(2)]

        @queue.task
        def work() -> None:
            for number, step in enumerate(steps):
                current_job.update_progress(10 * (number + 1))
                step.wait(20)

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
        until(lambda: len(readers) > 20, within=10)
        queue.cancel_job(job.id)
        for thread in threads:
            thread.join(10)
        assert len(texts) == 8
        assert {events_of(text)[-1]["status"] for text in texts} == {"cancelled"}


class TestActing:
    def test_cancels_a_pending_job_once(self, client: httpx.Client, queue: Queue) -> None:
        job = queue.enqueue("unknown")
        assert answer(client.post(f"jobs/{job.id}/cancel")) == {"cancelled": True}
        assert job.status == "cancelled"
        assert answer(client.post(f"jobs/{job.id}/cancel")) == {"cancelled": False}
        assert answer(client.post(f"jobs/{NOBODY}/cancel")) == {"cancelled": False}

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


class TestRouter:
    def test_operations_have_stable_names(self, queue: Queue) -> None:
        app = FastAPI()
        app.include_router(TaskitoRouter(queue), prefix="/tasks")
        document = app.openapi()
        found = {
            (method.upper(), path.removeprefix("/tasks")): operation["operationId"]
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        assert found == {
            ("GET", "/stats"): "taskito_stats",
            ("GET", "/jobs"): "taskito_list_jobs",
            ("GET", "/jobs/{job_id}"): "taskito_get_job",
            ("GET", "/jobs/{job_id}/errors"): "taskito_job_errors",
            ("GET", "/jobs/{job_id}/logs"): "taskito_job_logs",
            ("GET", "/jobs/{job_id}/why"): "taskito_job_why",
            ("GET", "/jobs/{job_id}/result"): "taskito_job_result",
            ("GET", "/jobs/{job_id}/progress"): "taskito_job_progress",
            ("POST", "/jobs/{job_id}/cancel"): "taskito_cancel_job",
            ("GET", "/dead-letters"): "taskito_dead_letters",
            ("POST", "/dead-letters/{dead_id}/retry"): "taskito_retry_dead_letter",
            ("DELETE", "/dead-letters/{dead_id}"): "taskito_delete_dead_letter",
            ("GET", "/queues"): "taskito_queues",
            ("GET", "/healthz"): "taskito_healthz",
        }
        assert set(found.values()) == {f"taskito_{name}" for name in TaskitoRouter.route_names}

    def test_answers_are_documented(self, queue: Queue) -> None:
        app = FastAPI()
        app.include_router(TaskitoRouter(queue, strict=True))
        paths = app.openapi()["paths"]
        assert set(paths["/jobs/{job_id}/cancel"]["post"]["responses"]) == {
            *("200", "404", "409", "422"),
        }
        assert set(paths["/jobs/{job_id}"]["get"]["responses"]) == {"200", "404", "422"}
        assert set(paths["/healthz"]["get"]["responses"]) == {"200", "503"}
        progress = paths["/jobs/{job_id}/progress"]["get"]["responses"]["200"]
        assert set(progress["content"]) == {"text/event-stream"}
        assert "X-Next-Cursor" in paths["/jobs"]["get"]["responses"]["200"]["headers"]
        assert all(
            operation["tags"] == ["taskito"]
            for operations in paths.values()
            for operation in operations.values()
        )

    def test_arguments_of_a_router_are_passed_on(self, queue: Queue, serve: Serve) -> None:
        def refuse() -> None:
            raise HTTPException(401, "who are you?")

        app = FastAPI()
        app.include_router(
            TaskitoRouter(queue, prefix="/work", tags=["jobs"], dependencies=[Depends(refuse)])
        )
        assert app.openapi()["paths"]["/work/stats"]["get"]["tags"] == ["jobs"]
        assert answer(serve(app).get("/work/stats"), 401) == {"detail": "who are you?"}

    def test_routes_can_be_chosen(self, queue: Queue) -> None:
        def paths(**options: Any) -> set[str]:
            app = FastAPI()
            app.include_router(TaskitoRouter(queue, **options))
            return set(app.openapi()["paths"])

        assert paths(include_routes=["stats", "get_job"]) == {"/stats", "/jobs/{job_id}"}
        assert "/healthz" not in paths(exclude_routes=["healthz"])
        assert paths(include_routes=["stats"], exclude_routes=["stats"]) == set()

    def test_two_queues_in_one_application_have_names_of_their_own(
        self, queue: Queue, tmp_path: Path, recwarn: pytest.WarningsRecorder
    ) -> None:
        app = FastAPI()
        other = Queue(tmp_path / "other.db")
        app.include_router(TaskitoRouter(queue), prefix="/a")
        app.include_router(TaskitoRouter(other, operation_prefix="mails_"), prefix="/b")
        assert app.openapi()["paths"]["/b/stats"]["get"]["operationId"] == "mails_stats"
        assert app.url_path_for("mails_get_job", job_id="1") == "/b/jobs/1"
        assert not list(recwarn)

    def test_making_one_opens_nothing(self, tmp_path: Path) -> None:
        TaskitoRouter(Queue(tmp_path / "new.db"))
        assert list(tmp_path.iterdir()) == []

    def test_refuses_what_cannot_be(self, queue: Queue) -> None:
        with pytest.raises(TypeError, match=r"queue must be a Queue, got 'jobs\.db'"):
            TaskitoRouter("jobs.db")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"include_routes names no route: 'job'\nhint: routes"):
            TaskitoRouter(queue, include_routes=["job", "stats"])
        with pytest.raises(TypeError, match=r"hint: write exclude_routes=\['stats'\]"):
            TaskitoRouter(queue, exclude_routes="stats")
