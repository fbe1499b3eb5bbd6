"""From the bytes of a claim to the arguments of its function, and from a result to bytes."""

from typing import TYPE_CHECKING, Any

from taskito._core import Outcome
from taskito._failures import summary
from taskito._frames import user_frames
from taskito.exceptions import SerializationError

if TYPE_CHECKING:
    from taskito._core import Claim
    from taskito._previews import Previews
    from taskito._sizes import PayloadSizes
    from taskito.serializers import Serializer


class Payloads:
    """Decodes and encodes for the attempts of one Queue."""

    __slots__ = ("_dumps", "_loads", "_previews", "_sizes")

    def __init__(
        self, serializer: "Serializer", sizes: "PayloadSizes", previews: "Previews"
    ) -> None:
        """Use what the Queue has."""
        self._loads = serializer.loads
        self._dumps = serializer.dumps
        self._sizes = sizes
        self._previews = previews

    def arguments(self, claim: "Claim") -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return what to call the function with.

        Raises:
            SerializationError: If the bytes cannot be decoded, whatever the cause.
        """
        try:
            args, kwargs = self._loads(claim.payload)
            if claim.inputs is not None:
                args = (*self._inputs(claim, claim.inputs), *args)
        except SerializationError as error:
            error.add_note(f"the arguments of {claim.task!r} cannot be decoded")
            raise
        except BaseException as error:  # noqa: BLE001 - code of the application runs here
            message = f"the arguments of {claim.task!r} cannot be decoded: {summary(error)}"
            raise SerializationError(message) from error.with_traceback(user_frames(error))
        return args, kwargs

    def _inputs(self, claim: "Claim", inputs: list[bytes]) -> list[Any]:
        """Return the results of other jobs that come before a job's own arguments."""
        values = [self._loads(data) for data in inputs]
        return [values] if claim.inputs_as == "list" else values

    def done(self, task: str, value: object) -> Outcome:
        """Return the outcome of an attempt whose function returned ``value``.

        Raises:
            SerializationError: If the value cannot be serialized, whatever the cause.
            PayloadTooLargeError: If its bytes are over the limit.
        """
        try:
            data = self._dumps(value)
            if value is None:
                outcome = Outcome.done(data)
            else:
                outcome = Outcome.done(data, preview=self._previews.result(value))
        except SerializationError as error:
            error.add_note(f"the result of {task!r} cannot be serialized")
            raise
        except BaseException as error:  # noqa: BLE001 - code of the application runs here
            message = f"the result of {task!r} cannot be serialized: {summary(error)}"
            raise SerializationError(message) from error.with_traceback(user_frames(error))
        if len(data) > self._sizes.unremarkable:
            self._sizes.check(task, "result", len(data))
        return outcome
