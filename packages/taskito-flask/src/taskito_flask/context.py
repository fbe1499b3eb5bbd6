"""Run a task's function inside an application context of its own."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask

P = ParamSpec("P")
R = TypeVar("R")


def in_app_context(app: Flask, function: Callable[P, R]) -> Callable[P, R]:
    """The function, with each call inside a fresh context of ``app``.

    ``flask.g`` starts empty and teardown functions run after every call. A coroutine
    function stays one, and its context lasts until it returns.
    """
    run: Callable[..., Any]
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def run(*args: P.args, **kwargs: P.kwargs) -> object:
            with app.app_context():
                return await function(*args, **kwargs)
    else:

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            with app.app_context():
                return function(*args, **kwargs)

    # The queue checks arguments against the function it is given and follows no wrapper.
    run.__signature__ = inspect.signature(function, follow_wrapped=False)  # type: ignore[attr-defined]
    return cast("Callable[P, R]", run)
