"""Driving operations from the process that serves the page.

Workers drive operations as well. This is for databases without a worker, and so that a person who
watches does not wait for one to look.
"""

import logging
import threading
import time
from typing import TYPE_CHECKING

from taskito.exceptions import TaskitoError

if TYPE_CHECKING:
    from taskito.bulk import Bulk, Operation

logger = logging.getLogger(__name__)

_AT_ONCE_SECONDS = 0.5
_LOOK_SECONDS = 0.5


class Driver:
    """One thread, alive only while there is something to drive."""

    def __init__(self, bulk: "Bulk") -> None:
        self._bulk = bulk
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def settle(self, operation: "Operation") -> "Operation":
        """Drive a small operation to its end, and leave a large one to the thread."""
        end = time.monotonic() + _AT_ONCE_SECONDS
        found: Operation | None = operation
        while found is not None and not found.is_over:
            if time.monotonic() > end or self._bulk.drive() != 0:
                self.wake()
                return found
            operation, found = found, self._bulk.get(operation.id)
        return found or operation

    def wake(self) -> None:
        """Drive what there is, in a thread of its own."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="taskito-dashboard-operations", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        try:
            while (pause := self._bulk.drive()) is not None:
                time.sleep(min(pause, _LOOK_SECONDS))
        except TaskitoError as error:
            # Whoever looks at the operation next starts over.
            logger.warning("operations go on later: %s", error)
