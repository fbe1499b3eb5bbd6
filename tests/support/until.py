"""Wait for something that happens in another thread or process."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30
"""Seconds to wait for what must come: a wait ends early, so they cost only where a test fails."""
PAUSE = 0.005
"""Seconds between two looks."""


def until(condition: Callable[[], T], within: float = PATIENCE) -> T:
    """Call ``condition`` until it returns something true, and return that.

    An ``AssertionError`` of the condition counts as "not yet", so a condition may be
    written with plain asserts; any other exception passes through at once.

    Args:
        condition: what to wait for. It is called once more at the deadline, so a
            slow machine cannot miss the moment.
        within: seconds to wait at most.

    Raises:
        AssertionError: the deadline passed. The text says what the last call
            returned, or the assertion it failed with.
    """
    deadline = time.monotonic() + within
    while True:
        last_look = time.monotonic() >= deadline
        failure: AssertionError | None = None
        try:
            value = condition()
        except AssertionError as exc:
            failure = exc
            seen = f"it last failed with: {exc}"
        else:
            if value:
                return value
            seen = f"it last returned: {value!r}"
        if last_look:
            name = getattr(condition, "__qualname__", repr(condition))
            message = f"{name} did not come true within {within} s; {seen}"
            raise AssertionError(message) from failure
        time.sleep(PAUSE)
