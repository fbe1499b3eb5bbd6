"""The coroutine of each blocking verb, made from the verb itself."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


def twin(
    verb: Callable[Concatenate[S, P], R], /
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Return a coroutine function with the parameters of ``verb`` that runs it in a thread.

    The event loop goes on meanwhile. Context variables are those of the caller. Cancelling
    the coroutine does not undo what the verb has begun.
    """

    @functools.wraps(verb)
    async def awaited(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        from asyncio import to_thread  # noqa: PLC0415 - large, and only here needed

        return await to_thread(verb, self, *args, **kwargs)

    awaited.__name__ = f"a{verb.__name__}"
    awaited.__qualname__ = verb.__qualname__.removesuffix(verb.__name__) + awaited.__name__
    awaited.__doc__ = f"Await :meth:`{verb.__name__}`; the event loop goes on meanwhile."
    return awaited
