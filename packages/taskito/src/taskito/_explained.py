"""Calls with an option that does not exist say which one was probably meant."""

import functools
import inspect
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from taskito._checks import unknown_option

P = ParamSpec("P")
R = TypeVar("R")

_NO_OPTIONS = {"self", "task_name", "args", "kwargs", "args_list", "kwargs_list"}


def explains_options(verb: Callable[P, R], /) -> Callable[P, R]:
    """Let a ``TypeError`` for an unknown keyword of ``verb`` name the nearest that it has.

    Costs nothing but a frame while the keywords are right. Every other ``TypeError`` passes.
    """

    @functools.wraps(verb)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except TypeError:
            known = inspect.signature(verb).parameters
            unknown = [name for name in kwargs if name not in known]
            if not unknown:
                raise
            subject = verb.__qualname__.removesuffix(".__init__").rpartition(".")[2]
            raise unknown_option(unknown[0], known.keys() - _NO_OPTIONS, subject) from None

    return called
