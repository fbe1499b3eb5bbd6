"""What ran in test mode."""

from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass
class TestResult:
    """One job that ran in test mode.

    Attributes:
        job_id: Its id, ``test-000001`` and so on.
        task_name: Name of its task.
        args: Positional arguments, results that canvas puts in front included.
        kwargs: Its other arguments.
        return_value: What the function returned.
        error: What it raised, or ``None``.
        traceback: The same as text, as a worker would have recorded it.
        progress: 0 to 100; 100 after success unless the job said something else.
        logs: Its log lines, as :meth:`taskito.Queue.task_logs` lists them.
    """

    __test__: ClassVar[bool] = False  # not for pytest to collect

    job_id: str
    task_name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    return_value: Any = None
    error: BaseException | None = None
    traceback: str | None = None
    progress: int | None = None
    logs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return self.error is None

    @property
    def failed(self) -> bool:
        """Whether it raised."""
        return self.error is not None


class TestResults(list[TestResult]):
    """The jobs that ran in test mode, in the order in which they ended.

    A job that another one enqueued ended before it.
    """

    __test__: ClassVar[bool] = False  # not for pytest to collect

    def filter(self, task_name: str | None = None, succeeded: bool | None = None) -> "TestResults":  # noqa: FBT001 - the documented order
        """Return some of them.

        Args:
            task_name: Only jobs of this task.
            succeeded: Only those that did, or that did not; ``None`` means both.
        """
        return TestResults(
            result
            for result in self
            if (task_name is None or result.task_name == task_name)
            and (succeeded is None or result.succeeded == succeeded)
        )

    @property
    def succeeded(self) -> "TestResults":
        """Those whose function returned."""
        return self.filter(succeeded=True)

    @property
    def failed(self) -> "TestResults":
        """Those whose function raised."""
        return self.filter(succeeded=False)
