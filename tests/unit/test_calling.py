"""From a call to a stored job: ``delay``, ``apply_async``, ``map``, ``options``."""

import functools
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

import pytest

from taskito import (
    JsonSerializer,
    PayloadTooLargeError,
    Queue,
    SerializationError,
    TaskWrapper,
)


@pytest.fixture
def add(queue: Queue) -> TaskWrapper[..., Any]:
    @queue.task(name="add")
    def add(a: int, b: int = 1, *, scale: int = 1) -> int:
        return scale * (a + b)

    return add


class TestBind:
    @pytest.mark.parametrize(
        ("args", "kwargs"),
        [([1], {}), ([1, 2], {}), ([], {"a": 1}), ([1], {"b": 2}), ([1], {"scale": 2})],
    )
    def test_arguments_that_fit_are_stored(
        self, add: TaskWrapper[..., Any], queue: Queue, args: list[int], kwargs: dict[str, int]
    ) -> None:
        for _ in range(2):
            add.delay(*args, **kwargs)
            add.apply_async(args, kwargs)
        assert queue.stats()["pending"] == 4

    @pytest.mark.parametrize(
        ("args", "kwargs", "why"),
        [
            ([], {}, "missing a required argument: 'a'"),
            ([1, 2, 3], {}, "too many positional arguments"),
            ([1], {"a": 1}, "multiple values for argument 'a'"),
            ([1], {"c": 1}, "unexpected keyword argument 'c'"),
        ],
    )
    def test_arguments_that_do_not_fit_store_nothing(
        self,
        add: TaskWrapper[..., Any],
        queue: Queue,
        args: list[int],
        kwargs: dict[str, int],
        why: str,
    ) -> None:
        bound = add.options(priority=1)
        calls: list[Callable[[], object]] = [
            lambda: add.delay(*args, **kwargs),
            lambda: bound.delay(*args, **kwargs),
            lambda: add.apply_async(args, kwargs),
        ]
        if not kwargs:
            calls += [lambda: add.map([[1], args]), lambda: bound.map([[1], args])]
        for call in [*calls, *calls]:
            with pytest.raises(TypeError, match=why) as caught:
                call()
            assert str(caught.value).endswith("\nhint: it takes (a, b=..., *, scale=...)")
        assert queue.stats()["pending"] == 0

    def test_a_wrapped_function_is_measured_by_its_wrapper(self, queue: Queue) -> None:
        def inner(a: int) -> int:
            return a

        @functools.wraps(inner)
        def outer() -> int:
            return inner(1)

        task: Any = queue.task(name="t")(outer)
        task.delay()
        with pytest.raises(TypeError, match="too many positional"):
            task.delay(1)

    def test_any_name_fits_a_function_that_takes_any(self, queue: Queue) -> None:
        @queue.task(name="t")
        def anything(*args: object, **kwargs: object) -> None: ...

        for number in range(300):
            anything.delay(*range(number % 7), **{f"name{number}": 1})
        assert queue.stats()["pending"] == 300

    def test_a_function_without_a_signature_takes_everything(self, queue: Queue) -> None:
        task = queue.task(name="max")(max)
        assert task.delay(1, 2).status == "pending"

    @pytest.mark.parametrize("args", ["ab", 5, None])
    def test_args_must_be_a_sequence_of_arguments(
        self, add: TaskWrapper[..., Any], queue: Queue, args: Any
    ) -> None:
        for call in (
            lambda: add.apply_async(args),
            lambda: add.map([args]),
            lambda: queue.enqueue("add", args),
            lambda: queue.enqueue_many("add", [args]),
        ):
            with pytest.raises(TypeError, match="args must be a sequence of arguments"):
                call()

    def test_kwargs_must_map_names(self, add: TaskWrapper[..., Any]) -> None:
        with pytest.raises(TypeError, match="kwargs must be a mapping"):
            add.apply_async((), [("a", 1)])  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="a name in kwargs must be a str, got 1"):
            add.apply_async((), {1: 1})  # type: ignore[dict-item]


class TestOptions:
    def test_each_reaches_the_job(self, add: TaskWrapper[..., Any]) -> None:
        job = add.apply_async(
            (1,),
            None,
            5,
            60,
            "mail",
            0,
            timedelta(seconds=2.5),
            "u",
            {"who": "ü", "n": [1]},
        )
        facts = job.to_dict()
        assert facts["scheduled_at"] - facts["created_at"] == 60_000
        assert {k: facts[k] for k in ("priority", "queue", "max_retries", "timeout_ms")} == {
            "priority": 5,
            "queue": "mail",
            "max_retries": 0,
            "timeout_ms": 2500,
        }
        assert facts["unique_key"] == "u"
        assert facts["metadata"] == '{"who":"ü","n":[1]}'

    def test_what_is_not_given_is_the_tasks(self, queue: Queue) -> None:
        task = queue.task(name="t", priority=4, queue="mail", max_retries=1, timeout=0)(print)
        for job in (
            task.delay(),
            task.apply_async(queue="", delay=-5),
            queue.enqueue("t"),
            *queue.enqueue_many("t", [()]),
            *task.map([()]),
        ):
            facts = job.to_dict()
            assert (facts["priority"], facts["queue"]) == (4, "mail")
            assert (facts["max_retries"], facts["timeout_ms"]) == (1, 0)
            assert facts["scheduled_at"] == facts["created_at"]

    def test_metadata_text_is_stored_verbatim(self, add: TaskWrapper[..., Any]) -> None:
        assert add.apply_async((1,), metadata=" {raw").metadata == " {raw"

    @pytest.mark.parametrize(
        ("option", "value", "error"),
        [
            ("priority", -(2**31) - 1, ValueError),
            ("delay", float("nan"), ValueError),
            ("delay", "1", TypeError),
            ("queue", 1, TypeError),
            ("max_retries", -1, ValueError),
            ("timeout", -1, ValueError),
            ("unique_key", 1, TypeError),
            ("metadata", 1, TypeError),
            ("metadata", {"x": float("nan")}, ValueError),
            ("metadata", {"x": {1}}, TypeError),
            ("expires", float("inf"), ValueError),
            ("expires", "1", TypeError),
            ("result_ttl", -1, ValueError),
            ("result_ttl", True, TypeError),
            ("idempotency_key", b"", TypeError),
            ("headers", "x", TypeError),
            ("headers", {"x": 1}, TypeError),
            ("headers", {"x": "y" * 8192}, ValueError),
        ],
    )
    def test_a_bad_value_fails_at_the_call_and_stores_nothing(
        self,
        add: TaskWrapper[..., Any],
        queue: Queue,
        option: str,
        value: Any,
        error: type[Exception],
    ) -> None:
        given = {option: value}
        calls: list[Callable[[], object]] = [
            lambda: add.apply_async((1,), **given),
            lambda: add.options(**given),
            lambda: queue.enqueue("add", (1,), **given),
            lambda: queue.enqueue_many("add", [(1,)], options_list=[given]),
        ]
        for call in calls:
            with pytest.raises(error, match=option.removesuffix("s")):
                call()
        assert queue.stats()["pending"] == 0

    def test_headers_of_8_kib_are_stored(self, add: TaskWrapper[..., Any], queue: Queue) -> None:
        job = add.apply_async((1,), headers={"x": "y" * 8191})
        with queue._database as store:
            row = store.job(job.id)
        assert row is not None
        assert json.loads(row.headers or "") == {"x": "y" * 8191}

    def test_bound_options_merge_and_leave_the_task_alone(self, add: TaskWrapper[..., Any]) -> None:
        urgent = add.options(priority=9, metadata="m")
        mail = urgent.options(queue="mail", priority=None)
        job = mail.delay(1)
        assert (job.priority, job.queue, job.metadata) == (9, "mail", "m")
        assert mail.options(priority=0).delay(1).priority == 0
        assert (urgent.delay(1).queue, add.delay(1).priority) == ("default", 0)
        assert [job.priority for job in urgent.map([(1,), [2]])] == [9, 9]
        assert repr(urgent) == "<BoundTask 'add'>"

    def test_an_unknown_bound_option_names_the_nearest(self, add: TaskWrapper[..., Any]) -> None:
        with pytest.raises(TypeError, match=r"'countdown' for a call of 'add'\nhint: .*'delay'"):
            add.options(countdown=1)  # type: ignore[call-arg]


class TestDeduplicate:
    def test_a_live_unique_key_returns_its_job(self, add: TaskWrapper[..., Any]) -> None:
        first = add.apply_async((1,), unique_key="")
        again = add.options(unique_key="").delay(2)
        assert (first.deduplicated, again.deduplicated) == (False, True)
        assert again == first
        assert hash(again) == hash(first)
        first.cancel()
        assert add.apply_async((1,), unique_key="") != first

    def test_an_idempotency_key_counts_whatever_the_status(
        self, add: TaskWrapper[..., Any]
    ) -> None:
        first = add.apply_async((1,), idempotency_key="k")
        first.cancel()
        again = add.apply_async((1,), idempotency_key="k")
        assert again.deduplicated
        assert again.id == first.id


class TestMany:
    def test_any_iterable_will_do(self, queue: Queue) -> None:
        jobs = queue.enqueue_many(
            "t", ((n,) for n in range(3)), ({"k": n} for n in range(3)), priority=2
        )
        assert [job.priority for job in jobs] == [2, 2, 2]
        assert [job.id for job in jobs] == sorted(job.id for job in jobs)

    @pytest.mark.parametrize("args_list", [[], iter(()), range(0)])
    def test_nothing_in_nothing_out(self, queue: Queue, args_list: Iterable[Any]) -> None:
        assert queue.enqueue_many("t", args_list) == []
        assert queue.task(name="t")(print).map(args_list) == []

    def test_lengths_must_match(self, queue: Queue) -> None:
        with pytest.raises(ValueError, match=r"kwargs_list must have as many .*, 2, got 1"):
            queue.enqueue_many("t", [(1,), (2,)], [{}])
        with pytest.raises(ValueError, match=r"options_list must have as many .*, 1, got 2"):
            queue.enqueue_many("t", [(1,)], options_list=[{}, {}])
        assert queue.stats()["pending"] == 0

    def test_single_options_go_over_common_ones(self, queue: Queue) -> None:
        entries: list[Mapping[str, object]] = [
            {},
            {"priority": 1, "unique_key": "u"},
            {"unique_key": "u"},
        ]
        jobs = queue.enqueue_many("t", [(), (), ()], priority=7, options_list=entries)
        assert [job.priority for job in jobs] == [7, 1, 1]
        assert [job.deduplicated for job in jobs] == [False, False, True]
        assert jobs[1] == jobs[2]

    def test_an_unknown_option_stores_nothing(self, queue: Queue) -> None:
        with pytest.raises(TypeError, match="did you mean 'max_retries'"):
            queue.enqueue_many("t", [(), ()], options_list=[{}, {"retries": 1}])
        assert queue.stats()["pending"] == 0

    def test_one_bad_argument_stores_nothing(self, queue: Queue) -> None:
        with pytest.raises(SerializationError):
            queue.enqueue_many("t", [(1,), [threading.Lock()]])
        assert queue.stats()["pending"] == 0


class TestSerialize:
    def test_failure_carries_its_cause_and_stores_nothing(self, queue: Queue) -> None:
        queue_of_json = Queue(queue.db_path, serializer=JsonSerializer())
        with queue_of_json, pytest.raises(SerializationError, match="arguments of 't'") as caught:
            queue_of_json.enqueue("t", [object()])
        assert isinstance(caught.value.__cause__, TypeError)
        assert queue.stats()["pending"] == 0

    def test_too_large_arguments_are_named_with_size_and_limit(self) -> None:
        with Queue(":memory:", max_payload_bytes=100) as queue:
            message = r"arguments of 't' take \d+ bytes, max_payload_bytes is 100\nhint: "
            with pytest.raises(PayloadTooLargeError, match=message):
                queue.enqueue("t", ["x" * 100])
            assert queue.enqueue("t", ["x" * 10]).status == "pending"

    def test_large_arguments_are_logged_once_per_task(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with Queue(":memory:", max_payload_bytes=None) as queue:
            for task in ("t", "t", "u"):
                queue.enqueue(task, ["x" * 2**20])
        assert [message[:24] for message in caplog.messages] == [
            "the arguments of 't' tak",
            "the arguments of 'u' tak",
        ]
