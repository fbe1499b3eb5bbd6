"""Contexts of the application around attempts and their hooks."""

import asyncio
import threading
from typing import Any

import pytest
from flask import Flask, current_app, g, has_app_context, has_request_context, url_for

from taskito import JobContext, TaskMiddleware, current_job
from taskito.testing._manual import manual_worker
from taskito_flask import Taskito
from tests.flask.support import queue_of, work_until
from tests.support.until import until


class TestAttempt:
    def test_each_attempt_has_a_fresh_context_of_its_own_app(
        self, app: Flask, taskito: Taskito
    ) -> None:
        torn_down: list[int] = []
        contexts: list[object] = []

        @app.teardown_appcontext
        def note(_: BaseException | None) -> None:
            torn_down.append(g.number)

        @taskito.task(max_retries=0)
        def work(number: int) -> str:
            assert "number" not in g, "the context of another job"
            g.number = number
            contexts.append(g._get_current_object())
            return current_app.name

        with app.app_context():
            g.number = -1
            jobs = work.map([(0,), (1,), (2,)])
            work_until(taskito.queue, *(job.id for job in jobs))
            assert [job.result(timeout=30) for job in jobs] == ["app"] * 3
            assert sorted(torn_down) == [0, 1, 2]
        assert len({id(context) for context in contexts}) == 3

    def test_a_failing_attempt_leaves_its_context_too(self, app: Flask, taskito: Taskito) -> None:
        seen: list[str] = []

        @app.teardown_appcontext
        def note(error: BaseException | None) -> None:
            seen.append(repr(error))

        @taskito.task(max_retries=1, retry_backoff=0)
        def fail() -> None:
            raise ValueError("no")

        job = fail.delay()
        work_until(taskito.queue, job.id)

        assert seen == ["ValueError('no')"] * 2

    def test_a_task_can_enqueue_another(self, app: Flask, taskito: Taskito) -> None:
        @taskito.task
        def second() -> str:
            return current_app.name

        @taskito.task
        def first() -> str:
            return second.delay().id

        job = first.delay()
        work_until(taskito.queue, job.id)
        second_id = job.result(timeout=30)
        work_until(taskito.queue, second_id)
        found = taskito.queue.get_job(second_id)

        assert found is not None
        assert found.result(timeout=30) == app.name

    def test_hooks_and_middleware_share_it_with_the_function(
        self, app: Flask, taskito: Taskito
    ) -> None:
        seen: list[str] = []
        torn_down: list[list[str]] = []

        class Listener(TaskMiddleware):
            def before(self, ctx: JobContext) -> None:
                g.trail = [f"before {ctx.id}"]

            def after(self, ctx: JobContext, result: Any, error: BaseException | None) -> None:
                g.trail.append(f"after {ctx.retry_count}: {result}, {error}")

        @taskito.before_task
        def start(*_: object) -> None:
            g.trail.append("before_task")

        @taskito.on_success
        def succeed(*_: object) -> None:
            g.trail.append("on_success")

        @app.teardown_appcontext
        def note(_: BaseException | None) -> None:
            torn_down.append(g.get("trail", []))

        @taskito.task(middleware=[Listener()])
        def work() -> None:
            g.trail.append("work")
            seen.append(current_job.id)

        job = work.delay()
        work_until(taskito.queue, job.id)

        trail = [f"before {job.id}", "before_task", "work", "on_success", "after 0: None, None"]
        assert torn_down == [trail]
        assert seen == [job.id]

    def test_hooks_after_the_commit_have_one_of_their_own(
        self, app: Flask, taskito: Taskito
    ) -> None:
        heard: list[tuple[str, str, bool]] = []

        @taskito.on_dead_letter
        def bury(task_name: str, *_: object) -> None:
            heard.append((task_name, current_app.name, "mine" in g))

        @taskito.task("fail", max_retries=0)
        def fail() -> None:
            g.mine = True
            raise ValueError("no")

        job = fail.delay()
        work_until(taskito.queue, job.id)

        until(lambda: heard)
        assert heard == [("fail", app.name, False)]

    @pytest.mark.parametrize("inside", [True, False])
    def test_enqueue_hooks_have_that_of_the_caller_or_a_new_one(
        self, app: Flask, taskito: Taskito, *, inside: bool
    ) -> None:
        heard: list[object] = []

        @taskito.on_enqueue
        def hear(*_: object) -> None:
            heard.append((current_app.name, g.get("user")))

        @taskito.task
        def work() -> None: ...

        if inside:
            with app.app_context():
                g.user = "ann"
                work.delay()
        else:
            work.delay()

        assert heard == [("app", "ann" if inside else None)]
        assert not has_app_context()

    def test_there_is_no_request(self, app: Flask, taskito: Taskito) -> None:
        @taskito.task
        def work() -> bool:
            return has_request_context()

        with app.test_request_context():
            job = work.delay()
        work_until(queue_of(app), job.id)

        assert job.result(timeout=30) is False

    def test_addresses_come_from_the_settings(self, app: Flask, taskito: Taskito) -> None:
        app.config.update(
            SERVER_NAME="shop.example", APPLICATION_ROOT="/shop", PREFERRED_URL_SCHEME="https"
        )

        @taskito.task
        def work() -> str:
            return url_for("static", filename="letter.css")

        job = work.delay()
        work_until(queue_of(app), job.id)

        assert job.result(timeout=30) == "https://shop.example/shop/static/letter.css"

    def test_coroutines_that_run_at_once_have_one_each(self, app: Flask, taskito: Taskito) -> None:
        both = threading.Barrier(2)
        torn_down: list[int] = []

        @app.teardown_appcontext
        def note(_: BaseException | None) -> None:
            torn_down.append(g.number)

        @taskito.task
        async def work(number: int) -> tuple[str, int]:
            g.number = number
            await asyncio.to_thread(both.wait, 30)
            return current_app.name, g.number

        jobs = work.map([(1,), (2,)])
        work_until(taskito.queue, *(job.id for job in jobs))

        assert [job.result(timeout=30) for job in jobs] == [("app", 1), ("app", 2)]
        assert sorted(torn_down) == [1, 2]

    def test_a_worker_inside_a_context_gives_each_job_its_own(
        self, app: Flask, taskito: Taskito
    ) -> None:
        @taskito.task
        def work() -> bool:
            return "user" in g

        with app.app_context(), manual_worker(taskito.queue) as worker:
            g.user = "ann"
            job = work.delay()
            worker.run()
            assert job.result() is False
            assert g.user == "ann"

    def test_a_job_of_a_schedule_has_one(self, app: Flask, taskito: Taskito) -> None:
        seen: list[str] = []

        @taskito.periodic(every=60, name="minutely")
        def tick() -> None:
            seen.append(current_app.name)

        with manual_worker(taskito.queue) as worker:
            worker.advance(60)
            worker.run()

        assert seen == [app.name]

    def test_a_teardown_function_that_fails_fails_no_job(
        self, app: Flask, taskito: Taskito, caplog: pytest.LogCaptureFixture
    ) -> None:
        @app.teardown_appcontext
        def fail(_: BaseException | None) -> None:
            raise OSError("the connection is gone")

        @taskito.task
        def work() -> str:
            return "done"

        job = work.delay()
        work_until(taskito.queue, job.id)

        assert job.result(timeout=30) == "done"
        assert "leaving the application's context raised" in caplog.text
