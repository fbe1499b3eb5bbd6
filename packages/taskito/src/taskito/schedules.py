"""Schedules: what ``queue.periodic`` declares, and what operators do with those that are stored."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from taskito._binding import Binding
from taskito._checks import Seconds, arguments, keywords, milliseconds, string
from taskito.exceptions import ConfigurationError, CronError
from taskito.job import JobResult

if TYPE_CHECKING:
    from taskito._core import Plan, ScheduleRow, Timetable, Timing
    from taskito._database import Database
    from taskito._producer import Producer
    from taskito.options import TaskOptions
    from taskito.serializers import Serializer
    from taskito.task import TaskWrapper

T = TypeVar("T")

CatchUp = Literal["one", "none", "all"]

_CATCH_UPS: dict[str, CatchUp] = {"one": "one", "none": "none", "all": "all"}
_SHORTEST_MS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """The arguments of one ``periodic(...)``, checked.

    Attributes:
        cron: The expression, or ``None`` for a period.
        every_ms: The period, or ``None`` for an expression.
        timezone: IANA name.
        timing: The rule they make.
        args: Positional arguments of the jobs.
        kwargs: Their other arguments.
        catch_up: What becomes of missed fires.
    """

    cron: str | None
    every_ms: int | None
    timezone: str
    timing: "Timing"
    args: tuple[object, ...]
    kwargs: dict[str, Any]
    catch_up: CatchUp


class Schedules:
    """The schedules that one Queue object declares, and those stored in its database."""

    def __init__(
        self, database: "Database", producer: "Producer", serializer: "Serializer"
    ) -> None:
        """Keep what schedules are made of."""
        self._database = database
        self._producer = producer
        self._serializer = serializer
        self._plans: dict[str, Plan] = {}
        self._configs: dict[str, dict[str, Any]] = {}
        self._introduced: set[tuple[str, str]] = set()

    def declaration(  # noqa: PLR0913 - all but the rule are keyword-only
        self,
        cron: str | None,
        every: Seconds | None,
        *,
        timezone: str,
        args: Iterable[object],
        kwargs: Mapping[str, object] | None,
        catch_up: str,
    ) -> Declaration:
        """Check the arguments of ``periodic``.

        Raises:
            TypeError: For a value of the wrong type.
            ValueError: For a value that cannot work, :class:`CronError` among them.
        """
        if string("catch_up", catch_up) not in _CATCH_UPS:
            message = f"catch_up must be one of {', '.join(_CATCH_UPS)}, got {catch_up!r}"
            raise ValueError(message)
        every_ms = None if every is None else _period(every)
        timing = timing_of(_expression(cron), every_ms, string("timezone", timezone))
        if cron is not None and timing.next(time.time_ns() // 1_000_000) is None:
            message = f"cron expression {cron!r} never fires in time zone {timezone}"
            hint = "all its hours are skipped there when clocks go forward"
            raise CronError(message, hint=hint)
        return Declaration(
            cron=cron,
            every_ms=every_ms,
            timezone=timezone,
            timing=timing,
            args=arguments(args),
            kwargs=keywords(kwargs),
            catch_up=_CATCH_UPS[catch_up],
        )

    def add(
        self,
        name: str,
        declaration: Declaration,
        task: "TaskWrapper[..., Any]",
        options: "TaskOptions",
    ) -> "Plan":
        """Declare a schedule of ``task``, in place of an earlier one of that name.

        Raises:
            TypeError: If the arguments do not fit the function.
            SerializationError: If they cannot be serialized.
            PayloadTooLargeError: If they take more than ``max_payload_bytes``.
        """
        from taskito._core import JobSpec, Plan  # noqa: PLC0415 - loads the engine

        args, kwargs = declaration.args, declaration.kwargs
        Binding(task.name, task.definition.function).check(args, kwargs)
        payload = self._producer.payload(task.name, args, kwargs)
        with self._database:
            spec = JobSpec(
                task.name,
                queue=options.queue,
                priority=options.priority,
                max_retries=options.max_retries,
                timeout_ms=options.timeout_ms,
            )
            plan = Plan(
                name,
                declaration.timing,
                spec,
                payload,
                catch_up=declaration.catch_up,
                preview=self._producer.previews.arguments(task.name, args, kwargs),
            )
        self._plans[name] = plan
        self._configs[name] = {
            "name": name,
            "task_name": task.name,
            "cron_expr": declaration.cron,
            "every": _seconds(declaration.every_ms),
            "timezone": declaration.timezone,
            "payload": payload,
            "queue": options.queue,
            "catch_up": declaration.catch_up,
        }
        return plan

    def plans(self) -> "list[Plan]":
        """Return all that is declared, for a worker that will store it."""
        self._introduced.update((self._database.path, name) for name in self._plans)
        return list(self._plans.values())

    def configs(self) -> list[dict[str, Any]]:
        """Return what is declared as plain data, in the order of declaration."""
        return [dict(config) for config in self._configs.values()]

    def rows(self) -> list[dict[str, Any]]:
        """Return what is stored, by name."""
        return [_row(row) for row in self._asked(lambda timetable: timetable.rows())]

    def pause(self, name: str) -> bool:
        """Let a schedule fire no more; whether there is such a schedule."""
        string("name", name)
        return self._asked(lambda timetable: timetable.pause(name))

    def resume(self, name: str) -> bool:
        """Let a schedule fire again; whether there is such a schedule."""
        string("name", name)
        return self._asked(lambda timetable: timetable.resume(name))

    def delete(self, name: str) -> bool:
        """Remove a schedule; whether there was such a schedule."""
        string("name", name)
        return self._asked(lambda timetable: timetable.delete(name))

    def trigger(self, name: str) -> JobResult[Any]:
        """Store one job of a schedule now."""
        string("name", name)
        job_id = self._asked(lambda timetable: timetable.trigger(name))
        return JobResult(self._database, self._serializer, job_id)

    def _asked(self, question: "Callable[[Timetable], T]") -> T:
        """Ask the timetable, on which our own schedules stand too.

        They are stored there when a worker starts, or here. Each is put there once, so that
        one which was deleted stays deleted until the next worker starts.
        """
        from taskito._core import Timetable  # noqa: PLC0415 - loads the engine

        with self._database as store:
            timetable = Timetable(store)
            path = self._database.path
            new = {n: p for n, p in self._plans.items() if (path, n) not in self._introduced}
            if new:
                timetable.introduce(list(new.values()))
                self._introduced.update((path, name) for name in new)
            return question(timetable)


def timing_of(cron: str | None, every_ms: int | None, timezone: str) -> "Timing":
    """Return the rule that says when a schedule fires.

    Raises:
        CronError: For an expression that is malformed or can never fire.
        ConfigurationError: Unless there is either an expression or a period.
        ValueError: For an unknown time zone.
    """
    from taskito._core import EngineError, Timing  # noqa: PLC0415 - loads the engine
    from taskito._errors import public_error  # noqa: PLC0415 - likewise

    try:
        if every_ms is None and cron is not None:
            return Timing.cron(cron, timezone)
        if every_ms is not None and cron is None:
            return Timing.every(every_ms, timezone)
    except EngineError as error:
        raise public_error(error) from None
    got = "neither" if cron is None else "both"
    message = f"a schedule needs either a cron expression or every, got {got}"
    hint = "write periodic('0 3 * * *') for times of the day, periodic(every=60) else"
    raise ConfigurationError(message, hint=hint)


def _expression(cron: object) -> str | None:
    if callable(cron):
        message = "periodic needs to know when: it cannot be used without arguments"
        raise TypeError(f"{message}\nhint: write @queue.periodic('0 3 * * *') or (every=60)")
    return None if cron is None else string("cron", cron)


def _period(every: object) -> int:
    period = milliseconds("every", every)
    if period < _SHORTEST_MS:
        message = f"every must be at least 1 second, got {every!r}"
        raise ValueError(message)
    return period


def _seconds(ms: int | None) -> float | None:
    if ms is None:
        return None
    return ms / 1000 if ms % 1000 else ms // 1000


def _row(row: "ScheduleRow") -> dict[str, Any]:
    return {
        "name": row.name,
        "task_name": row.task,
        "cron_expr": row.cron,
        "every": _seconds(row.every_ms),
        "timezone": row.timezone,
        "queue": row.queue,
        "catch_up": row.catch_up,
        "enabled": row.enabled,
        "active": row.active,
        "last_run": row.last_run,
        "next_run": row.next_run,
        "last_job_id": row.last_job_id,
    }
