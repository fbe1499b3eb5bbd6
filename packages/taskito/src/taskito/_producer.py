"""From a call to a stored job: options, bytes, insert."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taskito._sending import SendCall, Sent, surrounded
from taskito.exceptions import SerializationError
from taskito.job import JobResult
from taskito.options import JobOptions

if TYPE_CHECKING:
    from taskito._core import JobSpec
    from taskito._database import Database
    from taskito._hooks import Hooks
    from taskito._plan import Step
    from taskito._previews import Previews
    from taskito._sizes import PayloadSizes
    from taskito.options import TaskOptions
    from taskito.serializers import Serializer
    from taskito.testing._trial import Trial


class Producer:
    """Stores jobs of one Queue.

    Attributes:
        hooks: What listens to it.
        previews: What writes arguments for people.
        trial: What runs jobs instead, in test mode.
    """

    __slots__ = ("_database", "_dumps", "_serializer", "_sizes", "hooks", "previews", "trial")

    def __init__(
        self,
        database: "Database",
        serializer: "Serializer",
        sizes: "PayloadSizes",
        hooks: "Hooks",
        previews: "Previews",
    ) -> None:
        """Keep what a job needs on its way into the database."""
        self._database = database
        self._serializer = serializer
        self._dumps = serializer.dumps
        self._sizes = sizes
        self.hooks = hooks
        self.previews = previews
        self.trial: Trial | None = None

    def here(self) -> "Producer":
        """Return the producer that a call of now would go to."""
        return self

    def enqueue(
        self,
        task: str,
        settings: "TaskOptions",
        call: JobOptions,
        args: tuple[object, ...],
        kwargs: dict[str, Any],
    ) -> JobResult[Any]:
        """Store one job, as ``on_enqueue`` leaves it."""
        if not self.hooks.listens(settings.middleware):
            return self.submit(task, self.spec(task, settings, call), args, kwargs)
        send = SendCall(task_name=task, queue=call.queue or settings.queue, is_batch=False)
        with surrounded(send, self.hooks.senders(settings.middleware)) as tell:
            spec = self._heard_spec(task, settings, call, args, kwargs)
            job = self.submit(task, spec, args, kwargs)
            tell(_sent([spec], [job]))
        return job

    def enqueue_many(
        self,
        task: str,
        settings: "TaskOptions",
        options: JobOptions | Sequence[JobOptions],
        calls: Sequence[tuple[tuple[object, ...], dict[str, Any]]],
    ) -> list[JobResult[Any]]:
        """Store a job for every call in one transaction, as ``on_enqueue`` leaves them.

        ``options`` are those of all jobs, or of each.
        """
        if not self.hooks.listens(settings.middleware):
            specs = (
                itertools.repeat(self.spec(task, settings, options))
                if isinstance(options, JobOptions)
                else [self.spec(task, settings, call) for call in options]
            )
            return self.submit_many(task, specs, calls)
        if not calls:
            return []
        each = [options] * len(calls) if isinstance(options, JobOptions) else options
        queue = _only({call.queue or settings.queue for call in each})
        send = SendCall(task_name=task, queue=queue, is_batch=True)
        with surrounded(send, self.hooks.senders(settings.middleware)) as tell:
            heard = [
                self._heard_spec(task, settings, call, args, kwargs)
                for call, (args, kwargs) in zip(each, calls, strict=True)
            ]
            jobs = self.submit_many(task, heard, calls)
            tell(_sent(heard, jobs))
        return jobs

    def _heard_spec(
        self,
        task: str,
        settings: "TaskOptions",
        call: JobOptions,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
    ) -> "JobSpec":
        own = settings.middleware
        if self.hooks.listens(own):
            call = self.hooks.enqueuing(task, own, call.over(settings), args, kwargs)
        return self.spec(task, settings, call)

    def spec(self, task: str, settings: "TaskOptions", call: JobOptions) -> "JobSpec":
        """Return everything about a job but its arguments. Nothing hears of it.

        It is the same for all arguments, and may be reused.
        """
        from taskito._core import JobSpec  # noqa: PLC0415

        with self._database:
            return JobSpec(
                task,
                queue=call.queue or settings.queue,
                priority=settings.priority if call.priority is None else call.priority,
                delay_ms=call.delay_ms or 0,
                max_retries=settings.max_retries if call.max_retries is None else call.max_retries,
                timeout_ms=settings.timeout_ms if call.timeout_ms is None else call.timeout_ms,
                unique_key=call.unique_key,
                idempotency_key=call.idempotency_key,
                metadata=call.metadata,
                headers=call.headers,
                limit_key=call.limit_key,
                expires_ms=call.expires_ms,
                result_ttl_ms=call.result_ttl_ms,
                depends_on=call.depends_on,
            )

    def submit(
        self, task: str, spec: "JobSpec", args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> JobResult[Any]:
        """Store one job."""
        if self.trial is not None:
            return self.trial.run(spec, args, kwargs)
        payload = self.payload(task, args, kwargs)
        previews = self.previews
        preview = previews.empty
        if args or kwargs:
            preview = previews.arguments(task, args, kwargs, len(payload))
        with self._database as store:
            [(job_id, deduplicated)] = store.insert([(spec, payload, preview)])
        return JobResult(self._database, self._serializer, job_id, deduplicated)

    def submit_many(
        self,
        task: str,
        specs: Iterable["JobSpec"],
        calls: Sequence[tuple[tuple[object, ...], dict[str, Any]]],
    ) -> list[JobResult[Any]]:
        """Store a job for every call in one transaction."""
        if self.trial is not None:
            return self.trial.run_many(specs, calls)
        payload, database, serializer = self.payload, self._database, self._serializer
        preview, empty = self.previews.arguments, self.previews.empty
        jobs = [
            (
                spec,
                data := payload(task, args, kwargs),
                preview(task, args, kwargs, len(data)) if args or kwargs else empty,
            )
            for spec, (args, kwargs) in zip(specs, calls, strict=False)
        ]
        if not jobs:
            return []
        with database as store:
            stored = store.insert(jobs)
        return [JobResult(database, serializer, *row) for row in stored]

    def submit_workflow(self, steps: "Sequence[Step]") -> list[JobResult[Any]]:
        """Store the jobs of a canvas in one transaction."""
        tasks = [step.task.definition for step in steps]
        own = {middleware: None for task in tasks for middleware in task.options.middleware}
        queues = {step.call.queue or step.task.definition.options.queue for step in steps}
        name = _only({task.name for task in tasks})
        send = SendCall(task_name=name, queue=_only(queues), is_batch=True)
        with surrounded(send, self.hooks.senders(tuple(own))) as tell:
            specs = [self._step_spec(step) for step in steps]
            jobs = self._stored_workflow(steps, specs)
            tell(_sent(specs, jobs))
        return jobs

    def _stored_workflow(
        self, steps: "Sequence[Step]", specs: "Sequence[JobSpec]"
    ) -> list[JobResult[Any]]:
        from taskito._core import Links  # noqa: PLC0415

        if self.trial is not None:
            return self.trial.run_workflow(steps, specs)
        jobs: list[tuple[JobSpec, bytes, str | None, Links]] = []
        for step, spec in zip(steps, specs, strict=True):
            name, args, kwargs = step.task.name, step.args, step.kwargs
            payload = self.payload(name, args, kwargs)
            preview = self.previews.arguments(
                name, args, kwargs, takes_results=step.takes is not None
            )
            links = Links(takes=step.takes, after=step.after, groups=step.groups)
            jobs.append((spec, payload, preview, links))
        with self._database as store:
            stored = store.insert_workflow(jobs)
        return [JobResult(self._database, self._serializer, *row) for row in stored]

    def _step_spec(self, step: "Step") -> "JobSpec":
        task = step.task.definition
        return self._heard_spec(task.name, task.options, step.call, step.args, step.kwargs)

    def payload(self, task: str, args: tuple[object, ...], kwargs: dict[str, Any]) -> bytes:
        """Return serialized arguments.

        Raises:
            SerializationError: If they cannot be serialized.
            PayloadTooLargeError: If there are too many of them.
        """
        try:
            payload = self._dumps((args, kwargs))
        except Exception as error:
            message = f"the arguments of {task!r} cannot be serialized: {error}"
            raise SerializationError(message, hint=_PLAIN_DATA) from error
        if len(payload) > self._sizes.unremarkable:
            self._sizes.check(task, "arguments", len(payload))
        return payload


def _only(names: set[str]) -> str | None:
    return names.pop() if len(names) == 1 else None


def _sent(specs: "Sequence[JobSpec]", jobs: Sequence[JobResult[Any]]) -> list[Sent]:
    return [
        Sent(job_id=job.id, queue=spec.queue, deduplicated=job.deduplicated)
        for spec, job in zip(specs, jobs, strict=True)
    ]


_PLAIN_DATA = "pass plain data, and open files, locks and connections inside the task"
