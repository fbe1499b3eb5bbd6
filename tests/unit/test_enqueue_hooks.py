"""``on_enqueue``: what a hook sees of a job to be stored, and what it may change."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from taskito import JobResult, Queue, SerializationError, TaskWrapper
from taskito.middleware import TaskMiddleware
from taskito.options import NO_OPTIONS, CallOptions, JobOptions, TaskOptions

Options = dict[str, Any]

# Every way to store a job of a task "t" that takes (1, b=2).
CALLS: dict[str, Callable[[Queue, TaskWrapper[..., Any]], JobResult[Any]]] = {
    "delay": lambda _, task: task.delay(1, b=2),
    "apply_async": lambda _, task: task.apply_async((1,), {"b": 2}),
    "options": lambda _, task: task.options(priority=0).delay(1, b=2),
    "apply_async with options": lambda _, task: task.apply_async((1,), {"b": 2}, priority=0),
    "enqueue": lambda queue, _: queue.enqueue("t", (1,), {"b": 2}),
    "enqueue_many": lambda queue, _: queue.enqueue_many("t", [(1,)], [{"b": 2}])[0],
    "options_list": lambda queue, _: queue.enqueue_many(
        "t", [(1,)], [{"b": 2}], options_list=[{"priority": 0}]
    )[0],
    "aenqueue": lambda queue, _: asyncio.run(queue.aenqueue("t", (1,), {"b": 2})),
}


@pytest.fixture
def task(queue: Queue) -> TaskWrapper[..., Any]:
    @queue.task(name="t", queue="mail", max_retries=1, timeout=1.5)
    def task(a: int, b: int = 0) -> int:
        return a + b

    return task


class TestSee:
    @pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
    def test_every_call_is_seen_with_the_settings_of_the_job(
        self,
        queue: Queue,
        task: TaskWrapper[..., Any],
        call: Callable[[Queue, TaskWrapper[..., Any]], JobResult[Any]],
    ) -> None:
        seen: list[tuple[Any, ...]] = []
        call(queue, task)
        queue.on_enqueue(lambda *facts: seen.append(facts))
        for _ in range(2):
            call(queue, task)
        effective = {"priority": 0, "queue": "mail", "max_retries": 1, "timeout": 1.5}
        assert seen == 2 * [("t", (1,), {"b": 2}, effective)]

    def test_each_job_of_a_batch_is_seen(self, queue: Queue, task: TaskWrapper[..., Any]) -> None:
        seen: list[object] = []
        queue.on_enqueue(lambda _name, args, _kwargs, _options: seen.append(args))
        task.map([(1,), (2,)])
        queue.enqueue_many("t", [(3,), (4,)])
        assert seen == [(1,), (2,), (3,), (4,)]

    def test_what_the_call_gives_is_seen_as_it_is_written(
        self, queue: Queue, task: TaskWrapper[..., Any]
    ) -> None:
        given: Options = {
            "priority": 5,
            "delay": 0.5,
            "queue": "other",
            "max_retries": 9,
            "timeout": 7.0,
            "unique_key": "u",
            "metadata": "text",
            "idempotency_key": "i",
            "headers": {"x": "y"},
        }
        seen: list[Options] = []
        queue.on_enqueue(lambda _name, _args, _kwargs, options: seen.append(options))
        task.options(**given).delay(1)
        assert seen == [given]

    def test_a_task_nobody_registered_has_the_settings_of_the_queue(self, queue: Queue) -> None:
        seen: list[Options] = []
        queue.on_enqueue(lambda _name, _args, _kwargs, options: seen.append(options))
        queue.enqueue("unknown")
        assert seen == [{"priority": 0, "queue": "default", "max_retries": 3, "timeout": 300.0}]

    def test_arguments_that_cannot_be_serialized_are_seen(self, queue: Queue) -> None:
        seen: list[object] = []
        queue.on_enqueue(lambda _name, args, _kwargs, _options: seen.append(args))
        unserializable = (object() for _ in range(1))
        with pytest.raises(SerializationError):
            queue.enqueue("t", (unserializable,))
        assert seen == [(unserializable,)]

    def test_queue_wide_middleware_comes_first_then_the_tasks_then_hooks(self) -> None:
        seen: list[str] = []

        class Named(TaskMiddleware):
            def __init__(self, name: str) -> None:
                self.name = name

            def on_enqueue(self, task_name: str, *_: Any, **__: Any) -> None:
                seen.append(f"{self.name}: {task_name}")

        with Queue(":memory:", middleware=[Named("wide 1"), Named("wide 2")]) as queue:
            queue.on_enqueue(lambda *_: seen.append("hook"))
            task = queue.task(name="t", middleware=[Named("own")])(print)
            queue.task(name="other")(print).delay()
            assert seen == ["wide 1: other", "wide 2: other", "hook"]
            seen.clear()
            task.delay()
            assert seen == ["wide 1: t", "wide 2: t", "own: t", "hook"]

    def test_middleware_of_a_task_alone_sees_every_call(self, queue: Queue) -> None:
        seen: list[object] = []

        class Own(TaskMiddleware):
            def on_enqueue(self, task_name: str, *_: Any, **__: Any) -> None:
                seen.append(task_name)

        task = queue.task(name="t", middleware=[Own()])(print)
        queue.task(name="other")(print).delay()
        for _ in range(2):
            task.delay()
        task.map([()])
        assert seen == ["t"] * 3


class TestChange:
    def test_changes_apply_to_the_job(self, queue: Queue, task: TaskWrapper[..., Any]) -> None:
        @queue.on_enqueue
        def change(_name: str, _args: object, _kwargs: object, options: Options) -> None:
            options["priority"] += 7
            options["queue"] = "other"
            options["metadata"] = {"n": 1}
            options["headers"] = {**options.get("headers", {}), "y": "2"}
            del options["delay"]

        job = task.options(headers={"x": "1"}, delay=60).delay(1)
        facts = job.to_dict()
        assert (facts["priority"], facts["queue"]) == (7, "other")
        assert facts["metadata"] == '{"n":1}'
        assert facts["scheduled_at"] == facts["created_at"]
        assert (facts["max_retries"], facts["timeout_ms"]) == (1, 1500)
        assert job._known().headers == '{"x":"1","y":"2"}'

    def test_none_means_the_tasks_own_setting(
        self, queue: Queue, task: TaskWrapper[..., Any]
    ) -> None:
        @queue.on_enqueue
        def change(_name: str, _args: object, _kwargs: object, options: Options) -> None:
            options.update(queue=None, max_retries=None)

        job = task.options(queue="other", max_retries=5).delay(1)
        assert (job.queue, job.max_retries) == ("mail", 1)

    def test_the_next_hook_sees_the_changes(
        self, queue: Queue, task: TaskWrapper[..., Any]
    ) -> None:
        @queue.on_enqueue
        def double(_name: str, _args: object, _kwargs: object, options: Options) -> None:
            options["priority"] = 2 * options["priority"] + 1

        queue.on_enqueue(double)
        assert task.delay(1).priority == 3

    def test_arguments_are_not_the_hooks_to_change(
        self, queue: Queue, task: TaskWrapper[..., Any]
    ) -> None:
        queue.on_enqueue(lambda _name, _args, kwargs, _options: kwargs.clear())
        seen: list[object] = []
        queue.on_enqueue(lambda _name, _args, kwargs, _options: seen.append(kwargs))
        task.delay(1, b=2)
        assert seen == [{"b": 2}]

    def test_a_job_found_by_its_key_keeps_what_it_has(
        self, queue: Queue, task: TaskWrapper[..., Any]
    ) -> None:
        first = task.options(unique_key="k").delay(1)
        queue.on_enqueue(lambda _name, _args, _kwargs, options: options.update(unique_key="k"))
        second = task.delay(2)
        assert second.deduplicated
        assert second == first


class TestFail:
    @pytest.mark.parametrize(
        "break_it",
        [
            lambda options: options.clear() or 1 / 0,
            lambda options: options.update(priority="high"),
            lambda options: options.update(priority=9, prio=9),
            lambda options: options.update(priority=9, timeout=-1),
            lambda options: options["headers"].update(x="2") or 1 / 0,
        ],
        ids=["raises", "wrong type", "unknown option", "wrong value", "changes within"],
    )
    def test_a_hook_that_fails_changes_nothing(
        self,
        queue: Queue,
        task: TaskWrapper[..., Any],
        caplog: pytest.LogCaptureFixture,
        break_it: Callable[[Options], object],
    ) -> None:
        @queue.on_enqueue
        def good(_name: str, _args: object, _kwargs: object, options: Options) -> None:
            options["priority"] += 1

        queue.on_enqueue(lambda _name, _args, _kwargs, options: break_it(options))
        queue.on_enqueue(good)
        job = task.options(headers={"x": "1"}).delay(1)
        assert (job.priority, job.queue) == (2, "mail")
        assert job._known().headers == '{"x":"1"}'
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("taskito", logging.ERROR)
        assert record.exc_info
        assert "<lambda> raised for a job of t; its changes are dropped" in record.message
        assert (record.task_name, record.queue) == ("t", "mail")  # type: ignore[attr-defined]

    def test_a_key_press_of_the_user_is_no_failure_of_the_hook(
        self, queue: Queue, task: TaskWrapper[..., Any]
    ) -> None:
        @queue.on_enqueue
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            task.delay(1)
        assert queue.stats()["pending"] == 0


class TestRegister:
    @pytest.mark.parametrize(
        "event",
        [
            "on_enqueue",
            "before_task",
            "on_success",
            "on_failure",
            "after_task",
            "on_timeout",
            "on_retry",
            "on_dead_letter",
            "on_cancel",
        ],
    )
    def test_a_decorator_returns_the_function_and_refuses_others(
        self, queue: Queue, event: str
    ) -> None:
        def hook(*_: object) -> None: ...

        async def coroutine(*_: object) -> None: ...

        decorator = getattr(queue, event)
        assert decorator(hook) is hook
        with pytest.raises(TypeError, match=rf"{event} hook .*coroutine is an 'async def'.*\nhint"):
            decorator(coroutine)
        with pytest.raises(TypeError, match=f"hint: write @queue.{event} without parentheses"):
            decorator(None)

    @pytest.mark.parametrize(
        ("middleware", "message"),
        [
            (TaskMiddleware(), r"must be a sequence .*\nhint: write middleware=\[...\]"),
            (5, "middleware must be a sequence of TaskMiddleware, got 5"),
            ([print], r"must hold instances .*\nhint: make it a subclass"),
            ([TaskMiddleware], r"must hold instances .*\nhint: write TaskMiddleware\(\)"),
        ],
    )
    def test_middleware_must_be_instances(
        self, queue: Queue, middleware: Any, message: str
    ) -> None:
        with pytest.raises(TypeError, match=message):
            Queue(middleware=middleware)
        with pytest.raises(TypeError, match=message):
            queue.task(middleware=middleware)

    def test_middleware_must_not_be_made_of_coroutines(self) -> None:
        class Eager(TaskMiddleware):
            async def before(self, ctx: object) -> None:  # type: ignore[override]
                """Never awaited by anybody."""  # pyright: ignore[reportIncompatibleMethodOverride]

        with pytest.raises(TypeError, match=r"Eager.before is an 'async def' function"):
            Queue(middleware=[Eager()])


SAMPLES: Options = {
    "priority": -5,
    "delay": 0.25,
    "queue": "mail",
    "max_retries": 0,
    "timeout": 0.0,
    "unique_key": "",
    "metadata": '{"n":1}',
    "depends_on": ("an id",),
    "expires": 1.5,
    "result_ttl": 0.0,
    "idempotency_key": "i",
    "limit_key": "",
    "headers": {"é": "ü"},
}


@pytest.mark.parametrize("name", CallOptions.__annotations__)
def test_every_option_can_be_written_back(name: str) -> None:
    """Who adds an option of calls adds a sample: hooks get it, and give it back."""
    call = JobOptions.of_mapping({name: SAMPLES[name]}, "a test")
    assert call.as_written() == {name: SAMPLES[name]}
    assert call.over(TaskOptions()).as_written()[name] == SAMPLES[name]


def test_no_options_are_written_as_none() -> None:
    assert NO_OPTIONS.as_written() == {}
