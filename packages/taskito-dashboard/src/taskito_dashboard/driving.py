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
_MOMENT_SECONDS = 0.01


class Driver:
    """One thread, alive only while there is something to drive."""

    def __init__(self, bulk: "Bulk") -> None:
        self._bulk = bulk
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def settle(self, operation: "Operation") -> "Operation":
        """Drive a small operation to its end, and leave a large or slow one to the thread."""
        end = time.monotonic() + _AT_ONCE_SECONDS
        while not operation.is_over:
            pause = self._bulk.drive()
            operation = self._bulk.get(operation.id) or operation
            if not operation.is_over and (pause or time.monotonic() > end):
                self.wake()
                break
            if pause is None:  # a worker was faster
                time.sleep(_MOMENT_SECONDS)
        return operation

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
