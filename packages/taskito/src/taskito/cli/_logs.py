"""``taskito jobs logs``: what a job said with ``current_job.log()``."""

import argparse
from typing import Any

from taskito.cli._console import Console, Failure
from taskito.cli._context import Context, find_job
from taskito.cli._flags import Command
from taskito.cli._text import instant, one_line

_LOOK_SECONDS = 0.2


def register(parser: argparse.ArgumentParser) -> Command:
    """Print the log lines of one job."""
    parser.add_argument("id", metavar="ID", help="the job")
    parser.add_argument("--follow", action="store_true", help="go on until the job has ended")
    return logs


def logs(args: argparse.Namespace, context: Context) -> int:
    """Print log lines, oldest first, once or until the job has ended."""
    console = context.console
    if args.follow and console.as_json:
        raise Failure("--follow and --json exclude each other", hint="drop one", code=2)
    with context.queue() as queue:
        job = find_job(queue, args.id)
        if console.as_json:
            console.document(queue.task_logs(job.id))
            return 0
        shown: set[str] = set()
        while True:
            # Asked first: what the job says until it ends is there when it has ended.
            ended = not args.follow or job.wait(_LOOK_SECONDS)
            _print_new(queue.task_logs(job.id), shown, console)
            if ended:
                return 0


def _print_new(lines: list[dict[str, Any]], shown: set[str], console: Console) -> None:
    for line in lines:
        if line["id"] not in shown:
            shown.add(line["id"])
            console.data(_text(line))


def _text(line: dict[str, Any]) -> str:
    extra = f"  {line['extra']}" if line["extra"] else ""
    return one_line(f"{instant(line['logged_at'])}  {line['level']:<8} {line['message']}{extra}")
