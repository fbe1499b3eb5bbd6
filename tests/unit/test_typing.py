"""Types survive from the function to the result. mypy and pyright read this file.

Each ``type: ignore`` marks a call that must be an error: strict mode reports unused ones.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, assert_type

import pytest

from taskito import BoundTask, JobResult, Queue, TaskWrapper


def test_task_keeps_parameters_and_result_in_both_forms(queue: Queue) -> None:
    @queue.task
    def bare(a: int, *, b: str = "") -> float:
        return a + len(b)

    @queue.task(name="with-options", max_retries=1)
    def with_options(a: int, *, b: str = "") -> float:
        return a + len(b)

    @queue.task("named")
    def named(a: int) -> list[str]:
        return [""] * a

    for task in (bare, with_options):
        assert_type(task(1), float)
        assert_type(task.delay(1, b="x"), JobResult[float])
        assert_type(task.options(priority=1).delay(1), JobResult[float])
        assert_type(task.apply_async((1,)), JobResult[float])
        assert_type(task.map([(1,)]), list[JobResult[float]])
        with pytest.raises(TypeError):
            task.delay("x", c=1)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
        with pytest.raises(TypeError):
            task.options(prio=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(named.delay(1), JobResult[list[str]])


def test_a_coroutine_function_gives_what_awaiting_it_gives(queue: Queue) -> None:
    @queue.task
    async def bare(a: int, *, b: str = "") -> float:
        return a + len(b)

    @queue.task(name="with-options", max_retries=1)
    async def with_options(a: int, *, b: str = "") -> float:
        return a + len(b)

    for task in (bare, with_options):
        call = assert_type(task(1, b="x"), Coroutine[Any, Any, float])
        assert asyncio.run(call) == 2
        assert_type(task.delay(1, b="x"), JobResult[float])
        assert_type(task.options(priority=1).delay(1), JobResult[float])
        with pytest.raises(TypeError):
            task.delay("x", c=1)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]


def test_result_has_the_return_type(queue: Queue) -> None:
    @queue.task
    def half(a: int) -> float:
        return a / 2

    def take(task: TaskWrapper[[int], float]) -> Callable[[], float]:
        assert_type(task, TaskWrapper[[int], float])
        assert_type(task.options(delay=1), BoundTask[[int], float])
        return task.delay(1).result

    assert callable(take(half))
    assert_type(queue.enqueue("x"), JobResult[Any])
