"""``taskito queues``: what waits where, and pausing it."""

import argparse
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from taskito.cli._console import NOT_FOUND, Failure
from taskito.cli._context import Context, own_queues
from taskito.cli._flags import Command, command_group
from taskito.cli._text import ago, columns
from taskito.queue import Queue

_HEAD = ("QUEUE", "STATE", "PENDING", "RUNNING", "DEAD", "OLDEST DUE", "WORKERS", "LIMITS")


def register(parser: argparse.ArgumentParser) -> Command:
    """What waits where; pause, resume."""
    return command_group(
        parser,
        {
            "list": ("every queue with its jobs, workers and limits", register_list),
            "pause": ("let no job of a queue start any more", _register(pause)),
            "resume": ("let jobs of a paused queue start again", _register(resume)),
        },
    )


def register_list(_parser: argparse.ArgumentParser) -> Command:
    """List queues."""
    return list_queues


def _register(command: Command) -> Callable[[argparse.ArgumentParser], Command]:
    def register(parser: argparse.ArgumentParser) -> Command:
        parser.add_argument("name", metavar="NAME", help="the queue")
        return command

    return register


def list_queues(_args: argparse.Namespace, context: Context) -> int:
    """Print every queue that has jobs or settings, or that a worker names."""
    console = context.console
    with context.queue() as queue:
        rows = queue.list_queues()
    if console.as_json:
        console.document(rows)
    elif rows:
        console.data(columns(_HEAD, map(_row, rows), width=console.width))
    else:
        console.say("no queue has jobs, settings or workers")
    return 0


def pause(args: argparse.Namespace, context: Context) -> int:
    """Let no job of a queue start any more."""
    with context.queue() as queue:
        _check_known(queue, args.name)
        queue.pause(args.name)
    return _done(context, args.name, paused=True)


def resume(args: argparse.Namespace, context: Context) -> int:
    """Let jobs of a paused queue start again."""
    with context.queue() as queue:
        _check_known(queue, args.name)
        queue.resume(args.name)
    return _done(context, args.name, paused=False)


def _check_known(queue: Queue, name: str) -> None:
    """Fail for what is no queue: neither the database nor the program, if given, names it."""
    known = {row["name"] for row in queue.list_queues()} | own_queues(queue)
    if name not in known:
        near = get_close_matches(name, sorted(known), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "see: taskito queues list"
        raise Failure(f"queue not found: {name}", hint=hint, code=NOT_FOUND)


def _done(context: Context, name: str, *, paused: bool) -> int:
    console = context.console
    if console.as_json:
        console.document({"name": name, "paused": paused})
    else:
        console.say(f"{'paused' if paused else 'resumed'} {name}")
    return 0


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    limits = [row["rate_limit"], row["max_concurrent"] and f"{row['max_concurrent']} at once"]
    return (
        row["name"],
        "paused" if row["paused"] else "open",
        str(row["pending"]),
        str(row["running"]),
        str(row["dead"]),
        ago(row["oldest_due_at"]),
        str(row["workers"]),
        ", ".join(filter(None, limits)),
    )
