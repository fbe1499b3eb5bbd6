"""Any canvas gives what plain Python gives: each job receives what it would be called with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskito import JobResult, Queue, Signature, TaskWrapper, chain, chord, group
from taskito.canvas import Canvas
from tests.support.working import working

FAILS = "fails"


@dataclass(frozen=True)
class Outcome:
    """What became of one job: its result, or how it ended instead."""

    status: str
    value: object = None


@dataclass
class Passed:
    """What a part of a canvas hands on: the outcomes of jobs, as one value or as a list."""

    outcomes: list[Outcome] = field(default_factory=list)
    is_list: bool = False


def record(*args: object) -> list[object]:
    """The function of every job: its result says what it was called with."""
    if FAILS in args:
        raise ValueError(args)
    return list(args)


def evaluate(canvas: Canvas[Any], before: Passed) -> Passed:
    """What a canvas comes to, straight from the words of the contract."""
    if isinstance(canvas, chain):
        for step in canvas.signatures:
            before = evaluate(step, before)
        return before
    if isinstance(canvas, group):
        members = [evaluate(member, before) for member in canvas.signatures]
        return Passed([outcome for member in members for outcome in member.outcomes], is_list=True)
    if isinstance(canvas, chord):
        return evaluate(canvas.callback, evaluate(canvas.group, before))
    assert isinstance(canvas, Signature)
    return Passed([call(canvas, before)])


def call(signature: Signature[Any], before: Passed) -> Outcome:
    if any(outcome.status != "complete" for outcome in before.outcomes):
        return Outcome("cancelled")
    values = [outcome.value for outcome in before.outcomes]
    received: list[object] = [values] if before.is_list else values
    try:
        return Outcome(
            "complete", record(*([] if signature.immutable else received), *signature.args)
        )
    except ValueError:
        return Outcome("dead")


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    path = tmp_path_factory.mktemp("canvas") / "jobs.db"
    with Queue(path, workers=2, durability="normal") as queue, working(queue):
        yield queue


@pytest.fixture(scope="module")
def task(queue: Queue) -> TaskWrapper[..., Any]:
    return queue.task(name="record", max_retries=0)(record)


def canvases(*, failing: bool) -> st.SearchStrategy[Any]:
    """Shapes as nested tuples, as a canvas needs a task, and tasks come with a fixture."""
    arguments = st.integers(0, 9) | st.just(FAILS) if failing else st.integers(0, 9)
    leaf = st.tuples(st.sampled_from(["s", "s", "s", "si"]), st.lists(arguments, max_size=2))
    return st.recursive(
        leaf,
        lambda parts: (
            st.tuples(st.just("chain"), st.lists(parts, min_size=1, max_size=4))
            | st.tuples(st.just("group"), st.lists(parts, min_size=1, max_size=3))
            | st.tuples(st.just("chord"), st.lists(parts, min_size=2, max_size=4))
        ),
        max_leaves=10,
    )


def build(shape: tuple[str, list[Any]], task: TaskWrapper[..., Any]) -> Canvas[Any]:
    kind, parts = shape
    if kind == "s":
        return task.s(*parts)
    if kind == "si":
        return task.si(*parts)
    built = [build(part, task) for part in parts]
    if kind == "chain":
        return chain(*built)
    if kind == "group":
        return group(*built, max_concurrency=len(built) if len(built) > 1 else None)
    return chord(built[:-1], built[-1])


def assert_agrees(canvas: Canvas[Any]) -> None:
    expected = evaluate(canvas, Passed())
    applied = canvas.apply()
    handles: list[JobResult[Any]] = applied if isinstance(applied, list) else [applied]
    assert isinstance(applied, list) == expected.is_list
    assert all(handle.wait(30) for handle in handles), "a workflow never ended"
    outcomes = [Outcome(handle.status) for handle in handles]
    assert outcomes == [Outcome(outcome.status) for outcome in expected.outcomes]
    for handle, outcome in zip(handles, expected.outcomes, strict=True):
        if outcome.status == "complete":
            assert handle.result(0) == outcome.value


pace = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class TestCanvas:
    @pace
    @given(shape=canvases(failing=False))
    def test_every_step_receives_what_plain_python_would_pass(
        self, task: TaskWrapper[..., Any], shape: Any
    ) -> None:
        assert_agrees(build(shape, task))

    @pace
    @given(shape=canvases(failing=True))
    def test_failures_cancel_exactly_what_depends_on_them(
        self, task: TaskWrapper[..., Any], shape: Any
    ) -> None:
        assert_agrees(build(shape, task))

    @pace
    @given(shape=canvases(failing=False), limit=st.integers(1, 2))
    def test_nothing_is_left_waiting(
        self, queue: Queue, task: TaskWrapper[..., Any], shape: Any, limit: int
    ) -> None:
        for job in group(build(shape, task), max_concurrency=limit).apply():
            assert job.wait(30)
        stats = queue.stats()
        assert stats["pending"] == stats["running"] == 0
