"""A worker without threads: its owner tells it to run a job, and when to leave."""

from typing import TYPE_CHECKING, Any

from taskito._worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from taskito._core import Claim, Engine
    from taskito._database import Database
    from taskito._private_loops import PrivateLoops
    from taskito._runner import Runner
    from taskito.task import TaskDefinition, TaskWrapper


class SteppedWorker(Worker):
    """Claims and settles as any worker does, one job at a time in the calling thread."""

    def __init__(
        self,
        database: "Database",
        make_runner: "Callable[[Engine], Runner]",
        *,
        result_ttl_ms: int | None,
    ) -> None:
        """Prepare a worker of all queues."""
        super().__init__(
            database,
            make_runner,
            threads=1,
            coroutines=0,
            queues=(),
            result_ttl_ms=result_ttl_ms,
            drain_ms=0,
        )
        self._tasks: Mapping[str, TaskWrapper[..., Any]] = {}
        self._loops: PrivateLoops | None = None

    def enter(self, tasks: "Mapping[str, TaskWrapper[..., Any]]") -> None:
        """Enter the roster, able to run ``tasks``, a live mapping of names."""
        self._tasks = tasks
        for task in tuple(tasks.values()):
            self.register(task.definition)
        with self._database:
            self._engine.start_by_hand()

    def register(self, task: "TaskDefinition") -> None:
        """Let this worker run a task, at once. Coroutines take the turns of other jobs."""
        self._introduce(task, is_async=False)

    def run_next(self) -> str | None:
        """Run the job that is next and return its id; ``None`` if none is due."""
        with self._database:
            claim = self._engine.take()
        if claim is None:
            return None
        self._run(claim)
        with self._database:
            events = self._engine.commit()
        for event in events:
            self._heed(event)
        return claim.job_id

    def next_due(self) -> int | None:
        """When to look again after :meth:`run_next` found nothing; ``None`` means never."""
        with self._database:
            return self._engine.next_due()

    def _run(self, claim: "Claim") -> None:
        if not self._tasks[claim.task].definition.is_async:
            self._runner.run(claim)
            return
        if self._loops is None:
            from taskito._private_loops import PrivateLoops  # noqa: PLC0415 - loads asyncio

            self._loops = PrivateLoops()
        self._loops.run(lambda: self._runner.run_coroutine(claim))

    def tick(self) -> int | None:
        """Fire the schedules that are due; return when the next one is."""
        with self._database:
            return self._engine.tick()

    def tend(self) -> None:
        """Do what is due by now besides running jobs."""
        with self._database:
            self._engine.tend()

    def drain(self) -> None:
        """Leave the database. A job that runs is handed back."""
        self._engine.leave()

    def close(self) -> None:
        """Leave, and end what jobs left running on event loops."""
        self.drain()
        if self._loops is not None:
            self._loops.close()

    def stop(self) -> None:
        """Do the same."""
        self.drain()
