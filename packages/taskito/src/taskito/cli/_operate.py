"""``taskito purge``, ``mark``, ``check`` and ``snapshot``."""

import argparse
from dataclasses import asdict

from taskito import retention
from taskito.cli._bulk import who
from taskito.cli._context import Context
from taskito.cli._flags import Command, duration
from taskito.cli._progress import Progress
from taskito.cli._text import columns, span

_DAY = 86_400
_HEAD = ("PROBLEM", "JOB", "TASK", "QUEUE", "MESSAGE")


def register_purge(parser: argparse.ArgumentParser) -> Command:
    """Delete finished jobs."""
    parser.add_argument(
        "--status",
        choices=("complete", "dead", "cancelled"),
        default="complete",
        help="default: complete",
    )
    parser.add_argument(
        "--older-than", metavar="D", type=duration, default=_DAY, help="default: 1d"
    )
    parser.add_argument("--queue", metavar="NAME", help="only jobs of this queue")
    parser.add_argument("--task", metavar="NAME", help="only jobs of this task")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return purge


def register_check(_parser: argparse.ArgumentParser) -> Command:
    """Compare what waits with the tasks of the program."""
    return check


def register_snapshot(parser: argparse.ArgumentParser) -> Command:
    """Copy the database."""
    parser.add_argument("path", metavar="PATH", help="the new file")
    parser.add_argument("--overwrite", action="store_true", help="replace a file that exists")
    return snapshot


def register_mark(parser: argparse.ArgumentParser) -> Command:
    """Mark this instant."""
    parser.add_argument("text", metavar="TEXT", help="what is marked, as v1.4")
    return mark


def purge(args: argparse.Namespace, context: Context) -> int:
    """Delete finished jobs that are older than a time."""
    console = context.console
    with context.queue() as queue:
        total = queue.count_jobs(args.status, args.queue, args.task)
        age = f" that ended more than {span(args.older_than)} ago" if args.older_than else ""
        task = f" of task {args.task!r}" if args.task else ""
        place = f" in queue {args.queue!r}" if args.queue else ""
        question = f"Delete the {args.status} jobs{task}{place}{age}, of {total:,} at all?"
        console.confirm(question, yes=args.yes)
        with Progress("deleted", total=total, shown=console.talks) as progress:
            deleted = retention.purge_jobs(
                queue._database,  # noqa: SLF001 - of our own package
                args.status,
                round(args.older_than * 1000),
                queue=args.queue,
                task=args.task,
                on_progress=progress,
            )
    if console.as_json:
        console.document({"purged": deleted})
    else:
        console.say(f"deleted {deleted:,} jobs")
    return 0


def check(_args: argparse.Namespace, context: Context) -> int:
    """Print what cannot run as it is; 1 if there is any."""
    console = context.console
    with context.queue(app_needed=True) as queue:
        issues = queue.check()
    if console.as_json:
        console.document([asdict(issue) for issue in issues])
    elif issues:
        rows = (
            (
                issue.problem,
                issue.job_id or f"schedule {issue.schedule}",
                issue.task_name,
                issue.queue,
                issue.message,
            )
            for issue in issues
        )
        console.data(columns(_HEAD, rows, width=console.width))
    else:
        console.say("all that waits can run")
    return 1 if issues else 0


def mark(args: argparse.Namespace, context: Context) -> int:
    """Mark this instant on the charts of the dashboard."""
    console = context.console
    with context.queue() as queue:
        queue.mark(args.text, who=who())
    if console.as_json:
        console.document({"marked": args.text})
    else:
        console.say(f"marked {args.text}")
    return 0


def snapshot(args: argparse.Namespace, context: Context) -> int:
    """Copy the database while everybody goes on, and print where to."""
    console = context.console
    with context.queue() as queue:
        path = queue.snapshot(args.path, overwrite=args.overwrite)
    if console.as_json:
        console.document({"path": str(path)})
    else:
        console.say(f"wrote {path}")
    return 0
