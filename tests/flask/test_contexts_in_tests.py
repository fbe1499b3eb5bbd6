"""Contexts of the application in test mode."""

from pathlib import Path

from flask import Flask, current_app, g, has_app_context

from taskito import current_job
from taskito_flask import Taskito
from tests.flask.support import make_app, queue_of


def test_the_context_of_the_test_is_used_again(app: Flask, taskito: Taskito) -> None:
    torn_down: list[object] = []
    app.teardown_appcontext(torn_down.append)

    @taskito.task
    def work() -> object:
        g.touched = True
        return g._get_current_object()

    @taskito.task
    async def also() -> object:
        return g._get_current_object()

    with app.app_context(), taskito.queue.test_mode(propagate_errors=True):
        here = g._get_current_object()
        assert work.delay().result() is here
        assert also.delay().result() is here
        assert g.touched
        assert torn_down == []
    assert torn_down == [None]


def test_without_one_the_job_gets_its_own(app: Flask, taskito: Taskito) -> None:
    torn_down: list[object] = []
    app.teardown_appcontext(torn_down.append)

    @taskito.task
    def work() -> str:
        if current_job.id == "test-000002":
            raise KeyError("no")
        return current_app.name

    with taskito.queue.test_mode() as results:
        assert work.delay().result() == "app"
        work.delay()
        assert not has_app_context()
    assert isinstance(results[1].error, KeyError)
    assert torn_down == [None, results[1].error]


def test_the_context_of_another_app_is_none(tmp_path: Path, taskito: Taskito) -> None:
    one, two = (make_app(tmp_path, name) for name in ("one", "two"))
    for app in (one, two):
        taskito.init_app(app)

    @taskito.task
    def work() -> str:
        return current_app.name

    with one.app_context(), queue_of(two).test_mode() as results:
        queue_of(two).enqueue(work.name)
    assert results[0].return_value == "two"
