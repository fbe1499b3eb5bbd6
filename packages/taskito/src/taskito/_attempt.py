"""One attempt with all that surrounds it: hooks, middleware, and what follows the commit."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from taskito._core import Outcome
from taskito._hooks import AttemptHooks, HookPlan
from taskito._outcomes import log_failure, outcome_of
from taskito.context import ACTIVE, JobContext, active, ran_over, timeout_error
from taskito.exceptions import (
    PayloadTooLargeError,
    SerializationError,
    TaskCancelledError,
    TaskTimeoutError,
)
from taskito.surroundings import Visit

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from taskito._core import Claim
    from taskito._payloads import Payloads
    from taskito.options import TaskOptions

_AFTER_COMMIT = ("on_timeout", "on_retry", "on_dead_letter", "on_cancel", "over")
_TOO_LATE = Outcome.failed("this attempt had been given up")
_NOT_OURS = ("handed_back", "stale")  # the outcome that was stored is not that of the attempt


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task as it is run, worked out once after every registration.

    Attributes:
        name: Its name.
        function: What is called.
        options: Its settings.
        plan: The hooks and middleware to call.
        is_silent: Whether there are none.
        version: That of the hooks when this was worked out.
    """

    name: str
    function: Callable[..., Any]
    options: "TaskOptions"
    plan: HookPlan
    is_silent: bool
    version: object


class Register(Protocol):
    """Knows the attempts that have not ended, and passes on how they did."""

    def is_current(self, claim: "Claim") -> bool:
        """Return whether the outcome of this attempt still counts."""
        ...

    def settle(self, attempt: "Attempt", outcome: Outcome, *, notify: bool) -> None:
        """Store the outcome; with ``notify`` call :meth:`Attempt.settled` after the commit."""
        ...


class Attempt:
    """One attempt of a job, from its arguments to what follows the commit.

    Several may want to say how it ended: the one that runs the function, and those that
    notice that it takes too long. The first of them is heard.

    Attributes:
        claim: What the engine handed out.
        loop: The event loop that the function runs on, if it does.
        is_overdue: Whether it ran over its timeout before its function ended.
    """

    __slots__ = (
        "_context",
        "_ended",
        "_error",
        "_hooks",
        "_payloads",
        "_register",
        "_task",
        "_telling",
        "_timed_out",
        "_visit",
        "claim",
        "is_overdue",
        "loop",
    )

    def __init__(
        self,
        task: Prepared,
        claim: "Claim",
        context: JobContext,
        payloads: "Payloads",
        register: Register,
    ) -> None:
        """Prepare an attempt of ``task``."""
        self.claim = claim
        self.loop: AbstractEventLoop | None = None
        self.is_overdue = False
        self._context = context
        self._ended = Lock()  # taken for good by the one who says how the attempt ended
        self._error: BaseException | None = None
        self._hooks = AttemptHooks(task.plan, context)
        self._payloads = payloads
        self._register = register
        self._task = task
        self._telling = Lock()  # what follows the commit comes after what precedes it
        self._timed_out = False
        self._visit = Visit(task.plan.surroundings.of_attempt, context)

    def run(self) -> None:
        """Run the function here and settle. Never raises."""
        try:
            args, kwargs = self._begin()
            value = self._task.function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it fails the attempt
            self._raised(error)
        else:
            self._returned(value)

    async def run_coroutine(self) -> None:
        """Await the function in an asyncio task of its own and settle. Never raises.

        What was cancelled has no result, even if it returns one.
        """
        from asyncio import CancelledError, current_task  # noqa: PLC0415 - loaded by the loop

        if (current := current_task()) is None:
            raise RuntimeError("not in an asyncio task")
        self.loop = current.get_loop()
        ACTIVE.set(self._context)
        try:
            args, kwargs = self._begin()
            value = await self._task.function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it fails the attempt
            was_cancelled = isinstance(error, CancelledError) and current.cancelling()
            self._raised(_cancelled(error) if was_cancelled else error)
        else:
            if current.cancelling():
                self._raised(_cancelled(None))
            else:
                self._returned(value)

    def time_out(self) -> None:
        """End the attempt because its timeout is over; its function may go on."""
        error = timeout_error(self._context)
        self._error = error
        self._timed_out = True
        with active(self._context), self._telling:
            log_failure(error, self._context, retryable=self._task.options.retries(error))
            if self._ended.acquire(blocking=False):
                self._hooks.given_up(error)
            self._register.settle(self, Outcome.timed_out(), notify=True)

    def settled(self, arrow: str, retry_count: int) -> None:
        """Tell what follows the commit."""
        with active(self._context), self._telling:
            if arrow not in _NOT_OURS:
                self._tell_of(arrow, retry_count)
            self._hooks.over()

    def _tell_of(self, arrow: str, retry_count: int) -> None:
        if arrow == "cancelled" and self._ended.acquire(blocking=False):
            self._hooks.given_up(_cancelled(None))  # a coroutine that would not end
        if self._timed_out:
            self._hooks.committed("on_timeout")
        if arrow == "retry":
            self._hooks.committed("on_retry", self._error, retry_count)
        elif arrow == "dead":
            self._hooks.committed("on_dead_letter", self._error)
        elif arrow == "cancelled":
            self._hooks.committed("on_cancel")

    def _begin(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        self._visit.enter()
        try:
            args, kwargs = self._payloads.arguments(self.claim)
            args, kwargs = tuple(args), dict(kwargs)  # JSON has lists
        except (SerializationError, TypeError, ValueError):
            self._hooks.started()
            raise
        self._hooks.learn(args, kwargs)
        self._hooks.started()
        return args, kwargs

    def _returned(self, value: object) -> None:
        try:
            outcome = self._payloads.done(self._task.name, value)
        except SerializationError as error:
            self._raised(error, final=isinstance(error, PayloadTooLargeError))
            return
        if self._ends():
            self._hooks.returned(value)
        self._visit.leave(None)
        self._register.settle(self, outcome, notify=False)

    def _raised(self, error: BaseException, *, final: bool = False) -> None:
        if not self._ends():
            self._visit.leave(error)
            self._register.settle(self, _TOO_LATE, notify=False)
            return
        outcome = outcome_of(error, self._context, self._task.options, final=final)
        self._error = error
        self._timed_out = isinstance(error, TaskTimeoutError) and ran_over(self._context)
        self._hooks.raised(error)
        self._visit.leave(error)
        self._register.settle(self, outcome, notify=self._hooks.hear(*_AFTER_COMMIT))

    def _ends(self) -> bool:
        return self._register.is_current(self.claim) and self._ended.acquire(blocking=False)


def _cancelled(cause: BaseException | None) -> TaskCancelledError:
    error = TaskCancelledError("cancelled by request")
    error.__cause__ = cause
    return error
