"""``taskito workers``: who works, and sending one away."""

import argparse
from typing import Any

from taskito import _watching
from taskito.cli._console import NOT_FOUND, Failure
from taskito.cli._context import Context
from taskito.cli._flags import Command, command_group
from taskito.cli._text import ago, columns
from taskito.queue import Queue

_HEAD = (
    "ID",
    "WORKER",
    "STATUS",
    "QUEUES",
    "SLOTS",
    "RUNNING",
    "JOBS",
    "MEMORY",
    "VERSION",
    "SEEN",
)
_MEBIBYTE = 2**20


def register(parser: argparse.ArgumentParser) -> Command:
    """Who works; drain one."""
    return command_group(
        parser,
        {
            "list": ("the workers of this database", register_list),
            "drain": ("let a worker finish what runs and leave", register_drain),
        },
    )


def register_list(_parser: argparse.ArgumentParser) -> Command:
    """List workers."""
    return list_workers


def register_drain(parser: argparse.ArgumentParser) -> Command:
    """Drain a worker."""
    parser.add_argument("id", metavar="ID", help="of the worker, how it begins, or HOST:PID")
    return drain


def list_workers(_args: argparse.Namespace, context: Context) -> int:
    """Print the living workers, and those that give no sign of life, oldest first."""
    console = context.console
    with context.queue() as queue:
        rows = _crew(queue)
    if console.as_json:
        console.document(rows)
    elif rows:
        console.data(columns(_HEAD, map(_row, rows), width=console.width))
    else:
        console.say("no worker runs")
    return 0


def drain(args: argparse.Namespace, context: Context) -> int:
    """Ask one worker to take nothing more and to leave."""
    console = context.console
    with context.queue() as queue:
        row = _found(_crew(queue), args.id)
        if not queue.drain_worker(row["worker_id"]):
            raise _unknown(args.id)
    if console.as_json:
        console.document({"worker_id": row["worker_id"], "draining": True})
    else:
        console.say(f"{_place(row)} finishes {row['running']:,} running jobs and leaves")
    return 0


def _crew(queue: Queue) -> list[dict[str, Any]]:
    """Return what there is to know of each worker: that of the API and what is watched."""
    watched = _watching.crew(queue._database)  # noqa: SLF001 - of our own package
    told = {row["worker_id"]: row for row in watched}
    keys = ("rss", "ended")
    return [
        {**row, **{key: told[row["worker_id"]][key] for key in keys}}
        for row in queue.workers()
        if row["worker_id"] in told
    ]


def _found(rows: list[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """Return the one worker that is meant by an id, its beginning, or a host and process."""
    places = [row for row in rows if _place(row) == wanted]
    found = places or [row for row in rows if wanted and row["worker_id"].startswith(wanted)]
    if not found:
        raise _unknown(wanted)
    if len(found) > 1:
        hint = "the ids: " + ", ".join(row["worker_id"] for row in found)
        raise Failure(f"{len(found)} workers are meant by {wanted!r}", hint=hint)
    return found[0]


def _unknown(wanted: str) -> Failure:
    return Failure(f"worker not found: {wanted}", hint="see: taskito workers list", code=NOT_FOUND)


def _place(row: dict[str, Any]) -> str:
    return f"{row['hostname']}:{row['pid']}"


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    rss = row["rss"]
    return (
        row["worker_id"],
        _place(row),
        row["status"],
        ",".join(row["queues"]) or "all",
        str(row["concurrency"]),
        str(row["running"]),
        f"{row['ended']:,}",
        "-" if rss is None else f"{rss / _MEBIBYTE:.0f} MiB",
        row["version"],
        ago(row["last_heartbeat"]),
    )
