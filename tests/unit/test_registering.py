"""``@queue.task``: names, options, and what it refuses."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from taskito import AsyncTask, Queue, Task, TaskWrapper


def module_level(x: int) -> int:
    """Say what it does."""
    return x + 1


class TestName:
    def test_default_is_module_and_qualname(self, queue: Queue) -> None:
        assert queue.task(module_level).name == f"{__name__}.module_level"

    def test_a_string_in_first_place_is_the_name(self, queue: Queue) -> None:
        assert queue.task("shout")(module_level).name == "shout"
        assert queue.task(name="whisper")(module_level).name == "whisper"

    @pytest.mark.parametrize("name", [3, b"x"])
    def test_another_type_is_refused(self, queue: Queue, name: object) -> None:
        with pytest.raises(TypeError, match="name must be a str"):
            queue.task(name=name)  # type: ignore[call-overload]

    def test_main_is_replaced_by_what_the_program_is_imported_as(self, tmp_path: Path) -> None:
        package = tmp_path / "shop"
        package.mkdir()
        source = (
            "from taskito import Queue\n"
            "@Queue().task\n"
            "def f(): ...\n"
            "if __name__ == '__main__': print(f.name)\n"
        )
        (package / "__init__.py").touch()
        (package / "jobs.py").write_text(source)

        def printed(*command: str) -> str:
            run = subprocess.run(
                [sys.executable, *command],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=True,
                env={**os.environ},
            )
            return run.stdout.strip()

        assert printed("shop/jobs.py") == "jobs.f"
        assert printed("-m", "shop.jobs") == "shop.jobs.f"


class TestWrap:
    def test_calling_the_task_calls_the_function(self, queue: Queue) -> None:
        assert queue.task(module_level)(1) == 2

    def test_the_task_looks_like_the_function(self, queue: Queue) -> None:
        task = queue.task(name="t")(module_level)
        for attribute in ("__name__", "__doc__", "__module__", "__qualname__"):
            assert getattr(task, attribute) == getattr(module_level, attribute)
        assert task.__wrapped__ is module_level  # type: ignore[attr-defined]
        assert repr(task) == "<TaskWrapper 't'>"

    def test_attributes_of_the_function_do_not_leak_into_the_task(self, queue: Queue) -> None:
        def function() -> None: ...

        function.name = "other"  # type: ignore[attr-defined]
        assert queue.task(name="t")(function).name == "t"

    def test_task_is_another_name_of_the_class(self) -> None:
        assert Task is TaskWrapper


class TestOptions:
    def test_defaults_come_from_the_queue(self) -> None:
        queue = Queue(default_retry=7, default_timeout=1.5, default_priority=-2)
        options = queue.task(module_level).definition.options
        assert (options.max_retries, options.timeout_ms, options.priority) == (7, 1500, -2)

    def test_the_decorator_goes_over_them(self, queue: Queue) -> None:
        task = queue.task(
            max_retries=0,
            timeout=timedelta(minutes=1),
            priority=9,
            retry_backoff=0,
            queue="mail",
            max_retry_delay=2,
            retry_delays=[1, 0.5],
            soft_timeout=2.5,
            retry_on=[OSError],
            dont_retry_on=(FileNotFoundError,),
        )(module_level)
        options = task.definition.options
        assert (options.max_retries, options.timeout_ms, options.priority) == (0, 60_000, 9)
        assert (options.retry_backoff_ms, options.max_retry_delay_ms) == (0, 2000)
        assert (options.retry_delays_ms, options.soft_timeout_ms) == ((1000, 500), 2500)
        assert options.queue == "mail"
        assert options.retries(PermissionError())
        assert not options.retries(FileNotFoundError())
        assert not options.retries(ValueError())

    def test_none_and_an_empty_queue_mean_the_default(self, queue: Queue) -> None:
        task = queue.task(name=None, max_retries=None, queue="")(module_level)
        assert task.definition.options.max_retries == 3
        assert task.definition.options.queue == "default"

    @pytest.mark.parametrize(
        ("given", "meant"),
        [("retry", "max_retries"), ("max_retry", "max_retries"), ("time_limit", "timeout")],
    )
    def test_an_unknown_option_names_the_nearest(
        self, queue: Queue, given: str, meant: str
    ) -> None:
        message = f"unknown option '{given}' for task 'send'\nhint: did you mean '{meant}'\\?"
        with pytest.raises(TypeError, match=message):
            queue.task("send", **{given: 1})  # type: ignore[call-overload]

    def test_an_option_like_no_other_lists_them(self, queue: Queue) -> None:
        with pytest.raises(TypeError, match="'zzz' for a task\nhint: Options: circuit_breaker, d"):
            queue.task(zzz=1)  # type: ignore[call-overload]

    @pytest.mark.parametrize(
        ("option", "value", "error"),
        [
            ("max_retries", -1, ValueError),
            ("max_retries", 1.5, TypeError),
            ("max_retries", True, TypeError),
            ("priority", 2**31, ValueError),
            ("timeout", -0.1, ValueError),
            ("timeout", float("nan"), ValueError),
            ("timeout", float("inf"), ValueError),
            ("timeout", "5", TypeError),
            ("retry_backoff", -1, ValueError),
            ("max_retry_delay", 10**20, ValueError),
            ("retry_delays", [], ValueError),
            ("retry_delays", [1, -1], ValueError),
            ("retry_delays", 5, TypeError),
            ("retry_delays", "15", TypeError),
            ("soft_timeout", -1, ValueError),
            ("middleware", [object()], TypeError),
            ("queue", 5, TypeError),
            ("retry_on", ValueError, TypeError),
            ("retry_on", [ValueError()], TypeError),
            ("dont_retry_on", [int], TypeError),
        ],
    )
    def test_a_bad_value_fails_at_the_decorator(
        self, queue: Queue, option: str, value: object, error: type[Exception]
    ) -> None:
        with pytest.raises(error, match=option):
            queue.task(**{option: value})  # type: ignore[call-overload]


class TestAsync:
    def test_a_coroutine_function_is_an_async_task(self, queue: Queue) -> None:
        @queue.task
        async def fetch() -> int:
            return 1

        assert isinstance(fetch, AsyncTask)
        assert repr(fetch) == f"<AsyncTask '{fetch.name}'>"
        assert asyncio.run(fetch()) == 1

    def test_so_is_an_object_whose_call_is_one(self, queue: Queue) -> None:
        class Fetch:
            async def __call__(self) -> int:
                return 1

        assert isinstance(queue.task(name="fetch")(Fetch()), AsyncTask)
        assert not isinstance(queue.task(name="plain")(module_level), AsyncTask)


class TestRefuse:
    def test_an_asynchronous_generator_with_what_to_do_instead(self, queue: Queue) -> None:
        async def pages() -> AsyncGenerator[int]:
            yield 1

        with pytest.raises(TypeError, match=r"pages is an asynchronous gen.*\nhint: return a list"):
            queue.task(pages)

    def test_what_cannot_be_called(self, queue: Queue) -> None:
        with pytest.raises(TypeError, match="a task must be a function, got 5"):
            queue.task()(5)  # type: ignore[call-overload]


class TestRegistry:
    def test_is_a_live_mapping_of_callables(self, queue: Queue) -> None:
        registry = queue._task_registry
        assert "t" not in registry
        task = queue.task(name="t")(module_level)
        assert dict(registry.items()) == {"t": task}
        assert list(registry) == ["t"]
        assert registry["t"](1) == 2

    def test_a_different_function_under_a_known_name_is_logged(
        self, queue: Queue, caplog: pytest.LogCaptureFixture
    ) -> None:
        queue.task(name="t")(module_level)
        with caplog.at_level(logging.WARNING):
            queue.task(name="t")(module_level)
            assert not caplog.messages
            queue.task(name="t")(lambda: 5)
        assert "task 't' now means" in caplog.text
        assert queue._task_registry["t"]() == 5
