"""The text of a failure: what Python itself writes, also when it is put together from memory."""

import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskito._failures import error_text


class OrderError(Exception):
    """Has a module."""


class OddModuleError(Exception):
    """Has none that could be shown."""


OddModuleError.__module__ = 7  # type: ignore[assignment]


class MuteError(Exception):
    """Cannot say what happened."""

    def __str__(self) -> str:
        raise OrderError


def with_note() -> None:
    error = ValueError("noted")
    error.add_note("and more")
    raise error


def with_cause() -> None:
    raise ValueError("late") from OrderError("early")


def early() -> None:
    raise OrderError("early")


def with_context() -> None:
    try:
        early()
    except OrderError:
        raise ValueError("late")  # noqa: B904 - the context is what is tested


def with_hidden_context() -> None:
    try:
        early()
    except OrderError:
        raise ValueError("late") from None


def misspelt() -> None:
    "".uper()  # type: ignore[attr-defined]


def deep(depth: int = 30) -> None:
    if depth:
        deep(depth - 1)
    raise OrderError("at the bottom")


def raised(*errors: BaseException) -> Callable[[], None]:
    pending = list(errors)

    def fail() -> None:
        raise pending.pop(0)

    return fail


def python_writes(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip("\n")


def caught(fail: Callable[[], None]) -> BaseException:
    try:
        fail()
    except BaseException as error:
        return error
    pytest.fail("nothing was raised")


RAISED: list[BaseException] = [
    ValueError("one"),
    TypeError(),
    OrderError("two\nlines"),
    KeyError("key"),
    OSError(2, "No such file", "x.txt"),
    SystemExit(3),
    OddModuleError("odd"),
    MuteError(),
    ExceptionGroup("several", [ValueError("a")]),
    SyntaxError("bad", ("file.py", 1, 1, "x = ", 1, 2)),
]
FAILING = [
    *(pytest.param(raised(error), id=type(error).__name__) for error in RAISED),
    *(with_note, with_cause, with_context, with_hidden_context, misspelt, deep),
    pytest.param(lambda: deep(200), id="deeper"),
]


@pytest.mark.parametrize("fail", FAILING)
def test_it_is_what_python_writes(fail: Callable[[], None]) -> None:
    error = caught(fail)
    assert error_text(error) == python_writes(error)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=4))
def test_what_failed_at_the_same_place_before_differs_in_its_message_only(
    messages: list[str],
) -> None:
    fail = raised(*map(OrderError, messages))
    for _ in messages:
        error = caught(fail)
        assert error_text(error) == python_writes(error)


def test_another_line_of_the_same_function_is_another_place() -> None:
    def fail(*, early: bool) -> None:
        if early:
            raise OrderError("early")
        raise OrderError("late")

    for early in (True, False, True):
        error = caught(lambda early=early: fail(early=early))  # type: ignore[misc]
        assert error_text(error) == python_writes(error)


def test_functions_made_anew_again_and_again_are_told_apart() -> None:
    """Code that is forgotten may leave its place in memory to other code."""
    for number in range(500):
        space: dict[str, Callable[[], None]] = {}
        exec(compile(f"def f{number}(): 1 / 0", f"<made {number}>", "exec"), space)
        error = caught(space[f"f{number}"])
        assert f'File "<made {number}>", line 1, in f{number}\n' in error_text(error)
