"""Whether what waits in a database fits the tasks of this program."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from taskito._binding import Binding

if TYPE_CHECKING:
    from taskito._core import Store
    from taskito._database import Database
    from taskito.serializers import Serializer
    from taskito.task import TaskWrapper

__all__ = ["CheckIssue"]

_PORTION = 100
_RESULT = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIssue:
    """Something that waits and cannot run as it is.

    Attributes:
        job_id: The pending job; ``None`` for a schedule.
        schedule: The name of the schedule; ``None`` for a job.
        task_name: What it calls.
        queue: Where it waits.
        problem: ``unknown_task`` (nothing of that name is registered), ``bad_arguments``
            (they do not fit the function) or ``undecodable`` (the serializer cannot read
            them).
        message: The same for a person.
    """

    job_id: str | None
    schedule: str | None
    task_name: str
    queue: str
    problem: Literal["unknown_task", "bad_arguments", "undecodable"]
    message: str


class Checker:
    """Compares stored calls with registered tasks."""

    def __init__(
        self, tasks: "Mapping[str, TaskWrapper[..., Any]]", serializer: "Serializer"
    ) -> None:
        """Compare with ``tasks``; read arguments with ``serializer``."""
        self._tasks = tasks
        self._serializer = serializer
        self._bindings: dict[str, Binding] = {}

    def jobs(self, database: "Database") -> Iterator[CheckIssue]:
        """Yield what is wrong with pending jobs, oldest first."""
        with database as store:
            for job_id, queue, task, payload, takes_inputs in waiting(store):
                found = self._problem(task, payload, takes_inputs=takes_inputs)
                if found is not None:
                    problem, message = found
                    yield CheckIssue(
                        job_id=job_id,
                        schedule=None,
                        task_name=task,
                        queue=queue,
                        problem=problem,
                        message=message,
                    )

    def schedules(self, database: "Database") -> Iterator[CheckIssue]:
        """Yield what is wrong with stored schedules, by name."""
        from taskito._core import Timetable  # noqa: PLC0415 - loads the engine

        with database as store:
            for row in Timetable(store).rows():
                found = self._problem(row.task, row.payload, takes_inputs=False)
                if found is not None:
                    problem, message = found
                    yield CheckIssue(
                        job_id=None,
                        schedule=row.name,
                        task_name=row.task,
                        queue=row.queue,
                        problem=problem,
                        message=message,
                    )

    def _problem(
        self, name: str, payload: bytes, *, takes_inputs: bool
    ) -> tuple[Literal["unknown_task", "bad_arguments", "undecodable"], str] | None:
        task = self._tasks.get(name)
        if task is None:
            return "unknown_task", f"no task {name!r} is registered here"
        try:
            args, kwargs = self._serializer.loads(payload)
            args = tuple(args)
        except Exception as error:  # noqa: BLE001 - whatever a serializer raises
            return "undecodable", f"the arguments of {name!r} cannot be decoded: {error}"
        if takes_inputs:
            args = (_RESULT, *args)
        try:
            self._binding(name, task).check(args, kwargs)
        except TypeError as error:
            return "bad_arguments", str(error).partition("\nhint: ")[0]
        return None

    def _binding(self, name: str, task: "TaskWrapper[..., Any]") -> Binding:
        if name not in self._bindings:
            self._bindings[name] = Binding(name, task.definition.function)
        return self._bindings[name]


def waiting(store: "Store") -> Iterator[tuple[str, str, str, bytes, bool]]:
    """Yield all pending jobs as :meth:`Store.waiting` gives them, oldest first."""
    after: str | None = None
    while jobs := store.waiting(after=after, limit=_PORTION):
        yield from jobs
        after = jobs[-1][0]
