"""Calls that store jobs, for middleware of this package that surrounds them."""

import logging
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from taskito.middleware import TaskMiddleware

_logger = logging.getLogger("taskito")


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCall:
    """A call that is about to store jobs.

    Attributes:
        task_name: Their task; ``None`` if they are of several.
        queue: Where they will wait, unless ``on_enqueue`` changes it; ``None`` for several.
        is_batch: Whether it may store more than one.
    """

    task_name: str | None
    queue: str | None
    is_batch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One job as a call has stored it.

    Attributes:
        job_id: Its id.
        queue: Where it waits.
        deduplicated: Whether it had been there before the call.
    """

    job_id: str
    queue: str
    deduplicated: bool


Tell: TypeAlias = Callable[[Sequence[Sent]], object]
Sending: TypeAlias = AbstractContextManager[Tell]
"""Surrounds a call that stores jobs; what it gives is called with the jobs."""


@contextmanager
def surrounded(call: SendCall, senders: "Iterable[TaskMiddleware]") -> Generator[Tell]:
    """Let middleware surround a call. What it raises is logged and changes nothing."""
    with ExitStack() as stack:
        told = [stack.enter_context(_guarded(call, sender)) for sender in senders]
        yield lambda sent: [tell(sent) for tell in told]


@contextmanager
def _guarded(call: SendCall, sender: "TaskMiddleware") -> Generator[Tell]:
    surrounding = hear = None
    try:
        surrounding = sender._taskito_sending(call)  # noqa: SLF001 - a friend
        hear = surrounding.__enter__()
    except Exception as error:  # noqa: BLE001 - logged
        _log(call, error)

    def tell(sent: Sequence[Sent]) -> None:
        try:
            if hear is not None:
                hear(sent)
        except Exception as error:  # noqa: BLE001 - logged
            _log(call, error)

    raised: BaseException | None = None
    try:
        yield tell
    except BaseException as error:
        raised = error
        raise
    finally:
        if surrounding is not None and hear is not None:
            _leave(surrounding, call, raised)


def _leave(surrounding: Sending, call: SendCall, raised: BaseException | None) -> None:
    try:
        if raised is None:
            surrounding.__exit__(None, None, None)
        else:
            surrounding.__exit__(type(raised), raised, raised.__traceback__)
    except BaseException as error:  # noqa: BLE001 - logged, unless it is passed on anyway
        if error is not raised:
            _log(call, error)


def _log(call: SendCall, error: BaseException) -> None:
    extra = {"task_name": call.task_name, "queue": call.queue}
    message = "what surrounds the enqueuing of %s raised"
    _logger.error(message, call.task_name, exc_info=error, extra=extra)
