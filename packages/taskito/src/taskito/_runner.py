"""One attempt: bytes to arguments, the call, the result to bytes, an outcome."""

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from taskito._core import Outcome
from taskito.exceptions import PayloadTooLargeError, SerializationError

if TYPE_CHECKING:
    from types import TracebackType

    from taskito._core import Claim
    from taskito._sizes import PayloadSizes
    from taskito.serializers import Serializer
    from taskito.task import TaskDefinition, TaskWrapper

_LONGEST_ERROR = 65_536
_LONGEST_SUMMARY = 200
_logger = logging.getLogger(__name__)


class Runner:
    """Runs claimed jobs in the calling thread. One for all threads of a worker.

    Whatever a task raises, ``SystemExit`` and ``KeyboardInterrupt`` included, fails the
    attempt and never the worker.
    """

    __slots__ = ("_dumps", "_loads", "_sizes", "_tasks")

    def __init__(
        self,
        tasks: "Mapping[str, TaskWrapper[..., Any]]",
        serializer: "Serializer",
        sizes: "PayloadSizes",
    ) -> None:
        """Run the functions of ``tasks``, a live mapping of names."""
        self._tasks = tasks
        self._loads = serializer.loads
        self._dumps = serializer.dumps
        self._sizes = sizes

    def run(self, claim: "Claim") -> Outcome:
        """Run one attempt and say what happened. Never raises."""
        task = self._tasks[claim.task].definition
        retries = task.options.retries
        try:
            args, kwargs = self._loads(claim.payload)
            if claim.inputs is not None:
                results = [self._loads(data) for data in claim.inputs]
                args = (results, *args) if claim.inputs_as == "list" else (*results, *args)
        except BaseException as error:  # noqa: BLE001
            return _failed(claim, _undecodable(task.name, error), retries)
        try:
            value = task.function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001
            return _failed(claim, error, retries)
        return self._returned(claim, task, value)

    async def run_coroutine(self, claim: "Claim") -> Outcome:
        """Run one attempt on the event loop. Never raises; what was cancelled has no result."""
        from asyncio import CancelledError, current_task  # noqa: PLC0415 - loaded by the loop

        task = self._tasks[claim.task].definition
        retries = task.options.retries
        try:
            args, kwargs = self._loads(claim.payload)
        except BaseException as error:  # noqa: BLE001
            return _failed(claim, _undecodable(task.name, error), retries)
        try:
            value = await task.function(*args, **kwargs)
        except CancelledError:
            return Outcome.cancelled("cancelled by request")
        except BaseException as error:  # noqa: BLE001
            return _failed(claim, error, retries)
        if (current := current_task()) is not None and current.cancelling():
            return Outcome.cancelled("cancelled by request")
        return self._returned(claim, task, value)

    def _returned(self, claim: "Claim", task: "TaskDefinition", value: object) -> Outcome:
        retries = task.options.retries
        try:
            result = self._dumps(value)
            if len(result) > self._sizes.unremarkable:
                self._sizes.check(task.name, "result", len(result))
            return Outcome.done(result)
        except PayloadTooLargeError as error:
            return _failed(claim, error, _never)
        except BaseException as error:  # noqa: BLE001
            return _failed(claim, _unencodable(task.name, error), retries)


def _never(_error: BaseException) -> bool:
    return False


def _failed(
    claim: "Claim", error: BaseException, retries: Callable[[BaseException], bool]
) -> Outcome:
    """Return the outcome of an attempt that raised ``error``."""
    text = error_text(error)
    try:
        retryable = retries(error)
        last = not retryable or claim.retry_count >= claim.max_retries
        _logger.log(
            logging.ERROR if last else logging.INFO,
            "%s failed, attempt %d of %d%s, job %s: %s",
            claim.task,
            claim.retry_count + 1,
            claim.max_retries + 1,
            ", and will not be retried" if last else "",
            claim.job_id,
            _summary(error),
        )
    except BaseException:  # noqa: BLE001 - code of the application runs here: log filters
        return Outcome.failed(text)
    return Outcome.failed(text, retryable=retryable)


def error_text(error: BaseException) -> str:
    """Return the formatted traceback of ``error`` without the runner's own frame.

    Text over 64 KiB loses its middle; characters that UTF-8 cannot hold are escaped; an
    exception that cannot be formatted is recorded by its class.
    """
    try:
        text = "".join(traceback.format_exception(type(error), error, _user_frames(error)))
    except BaseException:  # noqa: BLE001 - code of the task runs here: __str__, __notes__
        text = f"{type(error).__name__}: <this exception cannot be formatted>\n"
    data = text.rstrip("\n").encode("utf-8", "backslashreplace")
    if len(data) > _LONGEST_ERROR:
        half = _LONGEST_ERROR // 2 - 50
        gap = f"\n... [{len(data) - 2 * half} bytes left out] ...\n".encode()
        data = data[:half] + gap + data[-half:]
    return data.decode("utf-8", "ignore")


def _user_frames(error: BaseException) -> "TracebackType | None":
    frames = error.__traceback__
    own = (Runner.run.__code__, Runner.run_coroutine.__code__)
    while frames is not None and frames.tb_frame.f_code in own:
        frames = frames.tb_next
    return frames


def _summary(error: BaseException) -> str:
    """Return the exception on one line, safe for any log."""
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - code of the task runs here
        message = "<str() failed>"
    line = f"{type(error).__name__}: {message}"[:_LONGEST_SUMMARY]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _undecodable(task: str, cause: BaseException) -> SerializationError:
    return _caused(f"the arguments of {task!r} cannot be decoded", cause)


def _unencodable(task: str, cause: BaseException) -> SerializationError:
    return _caused(f"the result of {task!r} cannot be serialized", cause)


def _caused(message: str, cause: BaseException) -> SerializationError:
    """Return the error for a failure of the serializer, which may raise our own kinds."""
    cause = cause.with_traceback(_user_frames(cause))
    if isinstance(cause, SerializationError):
        cause.add_note(message)
        return cause
    error = SerializationError(f"{message}: {_summary(cause)}")
    error.__cause__ = cause
    return error
