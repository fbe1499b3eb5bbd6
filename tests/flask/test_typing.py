"""A task of the extension has the types of a task of a queue; mypy and pyright read this.

Each ``type: ignore`` marks a call that must be an error: strict mode reports unused ones.
"""

from typing import assert_type

import pytest
from flask import Flask

from taskito import AsyncTask, JobResult, Queue, Signature, TaskWrapper, chain
from taskito_flask import Taskito


def test_types_of_tasks_and_results_are_those_of_the_function(app: Flask, taskito: Taskito) -> None:
    @taskito.task
    def double(x: int) -> int:
        return 2 * x

    @taskito.task(max_retries=5, queue="mail")
    async def fetch(name: str, *, times: int = 1) -> list[str]:
        return [name] * times

    @taskito.periodic("0 3 * * *", name="nightly")
    def nightly() -> None: ...

    assert_type(double(4), int)
    with app.app_context(), taskito.queue.test_mode():
        assert_type(double.delay(4), JobResult[int])
        assert_type(double.delay(4).result(), int)
        assert_type(double.map([(1,)]), list[JobResult[int]])
        assert_type(double.options(priority=1).delay(4).result(), int)
        assert_type(double.apply_async([4], priority=2).result(), int)
        assert_type(fetch.delay("a", times=2).result(), list[str])
        assert_type(double.s(1), Signature[int])
        assert_type(chain(fetch.si("a"), double.si(1)).apply(), JobResult[int])
        assert_type(nightly.delay().result(), None)
    assert_type(taskito.queue, Queue)
    assert isinstance(double, TaskWrapper)
    assert isinstance(fetch, AsyncTask)


def test_wrong_arguments_are_errors_of_the_type_checker_too(taskito: Taskito) -> None:
    @taskito.task
    def double(x: int) -> int:
        return 2 * x

    with pytest.raises(TypeError):
        double.delay("four", 5)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError):
        double.delay(y=4)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError):
        taskito.task(retries=4)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
