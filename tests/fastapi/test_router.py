"""How the routes are described, chosen and named."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, HTTPException

from taskito import Queue
from taskito.contrib.fastapi import TaskitoRouter
from tests.fastapi.conftest import Serve, answer


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
            TaskitoRouter(queue, prefix="/tasks", tags=["jobs"], dependencies=[Depends(refuse)])
        )
        assert app.openapi()["paths"]["/tasks/stats"]["get"]["tags"] == ["jobs"]
        assert answer(serve(app).get("/tasks/stats"), 401) == {"detail": "who are you?"}

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
