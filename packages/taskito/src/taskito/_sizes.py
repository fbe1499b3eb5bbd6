"""How large serialized arguments and results may be."""

import logging
from typing import Literal

from taskito.exceptions import PayloadTooLargeError

_LARGE = 2**20
_logger = logging.getLogger(__name__)


class PayloadSizes:
    """Refuses payloads over the limit of a Queue; warns once per task of those over 1 MiB.

    Attributes:
        unremarkable: Payloads of at most so many bytes need no :meth:`check`.
    """

    __slots__ = ("_limit", "_warned", "unremarkable")

    def __init__(self, limit: int | None) -> None:
        """Refuse what has more than ``limit`` bytes; ``None`` refuses nothing."""
        self._limit = limit
        self._warned: set[str] = set()
        self.unremarkable = _LARGE if limit is None else min(limit, _LARGE)

    def check(self, task: str, what: Literal["arguments", "result"], size: int) -> None:
        """Judge the size in bytes of the arguments or the result of a task.

        Raises:
            PayloadTooLargeError: If it is over the limit.
        """
        subject = f"the {what} of {task!r}"
        verb = "take" if what == "arguments" else "takes"
        if self._limit is not None and size > self._limit:
            raise PayloadTooLargeError(
                f"{subject} {verb} {size} bytes, max_payload_bytes is {self._limit}",
                hint=f"{_ADVICE[what]}, or raise max_payload_bytes",
            )
        if size > _LARGE and task not in self._warned:
            self._warned.add(task)
            _logger.warning(
                "%s %s %d bytes, %s: %s", subject, verb, size, _COST[what], _ADVICE[what]
            )


_COST = {
    "arguments": "which are copied into the journal and every claim",
    "result": "which are copied into the journal and to everyone who asks",
}
_ADVICE = {
    "arguments": "pass a path or a key instead of the data",
    "result": "return a path or a key instead of the data",
}
