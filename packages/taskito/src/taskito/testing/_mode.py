"""Test mode: jobs run where they are enqueued."""

from types import TracebackType
from typing import TYPE_CHECKING, ClassVar

from taskito.testing._results import TestResults

if TYPE_CHECKING:
    from taskito.queue import Queue
    from taskito.testing._trial import Trial


class TestMode:
    """Runs the jobs of a Queue at once, in the thread that enqueues them, for tests.

    While it is active, ``enqueue``, ``delay``, ``map``, canvas and all other ways to enqueue
    run the task before they return, without any database. Arguments and results are handed
    over as they are: nothing is serialized. Delay, priority, retries, timeouts, limits,
    uniqueness and expiry are ignored. Named locks live in memory and
    exclude the threads of this process. Hooks and middleware run, but for those of
    retry, dead letter, timeout and cancel; ``current_job`` works.

    Args:
        queue: The Queue. Others are not concerned.
        propagate_errors: Let what a task raises reach whoever enqueued it, instead of
            keeping it as the result of the job.

    Example:
        >>> from taskito import Queue, TestMode
        >>> queue = Queue()
        >>> @queue.task(name="add")
        ... def add(a: int, b: int) -> int:
        ...     return a + b
        >>> with TestMode(queue) as results:
        ...     job = add.delay(1, 2)
        >>> job.result(), results[0].return_value
        (3, 3)
    """

    __test__: ClassVar[bool] = False  # not for pytest to collect

    def __init__(self, queue: "Queue", propagate_errors: bool = False) -> None:  # noqa: FBT001, FBT002 - the documented order
        """Prepare a test mode; it begins with ``with``."""
        self._queue = queue
        self._propagate_errors = bool(propagate_errors)
        self._outer: list[Trial | None] = []

    def __enter__(self) -> TestResults:
        """Begin, and return what will have run."""
        from taskito.testing._trial import Trial  # noqa: PLC0415 - loads the engine

        producer = self._queue._producer  # noqa: SLF001 - of our own package
        trial = Trial(self._queue, propagate_errors=self._propagate_errors)
        self._outer.append(producer.trial)
        producer.trial = trial
        return trial.results

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End; what was before is restored."""
        producer = self._queue._producer  # noqa: SLF001 - of our own package
        trial, producer.trial = producer.trial, self._outer.pop()
        if trial is not None:
            trial.close()
