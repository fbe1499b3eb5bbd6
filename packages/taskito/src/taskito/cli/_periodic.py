"""``taskito periodic``: schedules and when they fire."""

import argparse
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from taskito.cli._console import NOT_FOUND, Failure
from taskito.cli._context import Context
from taskito.cli._flags import Command, command_group, whole
from taskito.cli._text import ago, columns, milliseconds
from taskito.exceptions import CronError
from taskito.queue import Queue
from taskito.schedules import timing_of

if TYPE_CHECKING:
    from taskito._core import Timing

_HEAD = ("NAME", "WHEN", "TIMEZONE", "TASK", "QUEUE", "STATE", "NEXT", "LAST")


def register(parser: argparse.ArgumentParser) -> Command:
    """Schedules: list, pause, resume, trigger, coming fires."""
    return command_group(
        parser,
        {
            "list": ("all schedules, by name", register_list),
            "pause": ("let a schedule fire no more until it is resumed", _named(pause)),
            "resume": ("let a paused schedule fire again", _named(resume)),
            "trigger": ("enqueue one job of a schedule now", _named(trigger)),
            "next": ("when a schedule or an expression fires", register_next),
        },
    )


def register_list(_parser: argparse.ArgumentParser) -> Command:
    """List schedules."""
    return list_schedules


def register_next(parser: argparse.ArgumentParser) -> Command:
    """Tell the fires to come."""
    parser.add_argument("rule", metavar="RULE", help="name of a schedule, or a cron expression")
    parser.add_argument("-n", "--count", metavar="N", type=whole, default=5, help="default: 5")
    parser.add_argument("--timezone", metavar="Z", help="of an expression; default: UTC")
    return show_next


def list_schedules(_args: argparse.Namespace, context: Context) -> int:
    """Print all schedules."""
    console = context.console
    with context.queue() as queue:
        rows = queue.list_periodic()
    if console.as_json:
        console.document(rows)
    elif rows:
        console.data(columns(_HEAD, map(_row, rows), width=console.width))
    else:
        console.say("no schedules")
    return 0


def pause(name: str, queue: Queue, context: Context) -> None:
    """Pause a schedule."""
    _found(queue.pause_periodic(name), name)
    _tell(context, {"enabled": False}, f"paused {name}")


def resume(name: str, queue: Queue, context: Context) -> None:
    """Resume a schedule."""
    _found(queue.resume_periodic(name), name)
    _tell(context, {"enabled": True}, f"resumed {name}")


def trigger(name: str, queue: Queue, context: Context) -> None:
    """Enqueue one job and print its id."""
    job = queue.trigger_periodic(name)
    if context.console.as_json:
        context.console.document({"job_id": job.id})
    else:
        context.console.data(job.id)


def show_next(args: argparse.Namespace, context: Context) -> int:
    """Print the next fires in UTC and in local time."""
    console = context.console
    timing, timezone = _rule(args.rule, args.timezone, context)
    fires: list[dict[str, Any]] = []
    fire = timing.next(milliseconds())
    while fire is not None and len(fires) < args.count:
        utc = datetime.fromtimestamp(fire / 1000, UTC).isoformat().replace("+00:00", "Z")
        fires.append({"fire_time": fire, "utc": utc, "local": timing.local(fire)})
        fire = timing.next(fire)
    if console.as_json:
        console.document(fires)
    elif fires:
        head = ("UTC", timezone, "")
        console.data(columns(head, map(_fire, fires), width=console.width))
    else:
        console.say("no fires to come")
    return 0


def _named(
    act: Callable[[str, Queue, Context], None],
) -> Callable[[argparse.ArgumentParser], Command]:
    """Return what registers a command on the schedule of a name."""

    def command(args: argparse.Namespace, context: Context) -> int:
        with context.queue() as queue:
            act(args.name, queue, context)
        return 0

    def register_named(parser: argparse.ArgumentParser) -> Command:
        parser.add_argument("name", metavar="NAME", help="of the schedule")
        return command

    return register_named


def _rule(text: str, timezone: str | None, context: Context) -> "tuple[Timing, str]":
    """Return the timing of an expression, else of the schedule with that name."""
    if text.startswith("@") or len(text.split()) > 1:
        zone = timezone or "UTC"
        try:
            return timing_of(text, None, zone), zone
        except CronError:
            with suppress(Failure):
                return _schedule(text, timezone, context)
            raise
    return _schedule(text, timezone, context)


def _schedule(name: str, timezone: str | None, context: Context) -> "tuple[Timing, str]":
    with context.queue() as queue:
        rows = [row for row in queue.list_periodic() if row["name"] == name]
    _found(bool(rows), name)
    if timezone is not None:
        message = f"schedule {name!r} has a time zone of its own, {rows[0]['timezone']}"
        raise Failure(message, hint="--timezone is for cron expressions", code=2)
    every = rows[0]["every"]
    every_ms = None if every is None else round(every * 1000)
    return timing_of(rows[0]["cron_expr"], every_ms, rows[0]["timezone"]), rows[0]["timezone"]


def _found(there_is: bool, name: str) -> None:  # noqa: FBT001 - what was asked of the database
    if not there_is:
        hint = "see: taskito periodic list"
        raise Failure(f"no schedule is named {name!r}", hint=hint, code=NOT_FOUND)


def _tell(context: Context, facts: dict[str, Any], words: str) -> None:
    if context.console.as_json:
        context.console.document(facts)
    else:
        context.console.say(words)


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    state = "active" if row["active"] else "no worker"
    return (
        row["name"],
        row["cron_expr"] or f"every {row['every']:g} s",
        row["timezone"],
        row["task_name"],
        row["queue"],
        state if row["enabled"] else "paused",
        ago(row["next_run"]),
        ago(row["last_run"]),
    )


def _fire(fire: dict[str, Any]) -> tuple[str, str, str]:
    return fire["utc"], fire["local"], ago(fire["fire_time"])
