"""``taskito dead``: jobs that will not be tried again."""

import argparse
from typing import Any

from taskito import retention
from taskito.cli._console import NOT_FOUND, Failure
from taskito.cli._context import Context
from taskito.cli._flags import Command, command_group, duration, whole
from taskito.cli._progress import Progress
from taskito.cli._text import ago, columns, last_line, span

_HEAD = ("ID", "JOB", "TASK", "QUEUE", "RETRIES", "DIED", "ERROR")
_DAY = 86_400


def register(parser: argparse.ArgumentParser) -> Command:
    """Dead letters: list, retry, remove."""
    return command_group(
        parser,
        {
            "list": ("dead letters, newest first", register_list),
            "retry": ("run the job of a dead letter again, or of all", register_retry),
            "delete": ("remove a dead letter; its job stays", register_delete),
            "purge": ("remove old dead letters; their jobs stay", register_purge),
        },
    )


def register_list(parser: argparse.ArgumentParser) -> Command:
    """List dead letters, newest first."""
    _filters(parser)
    parser.add_argument("--limit", metavar="N", type=whole, default=50, help="default: 50")
    parser.add_argument("--cursor", metavar="C", help="where the page before ended")
    return list_letters


def register_retry(parser: argparse.ArgumentParser) -> Command:
    """Retry dead letters."""
    parser.add_argument("id", metavar="ID", nargs="?", help="the dead letter")
    parser.add_argument("--all", action="store_true", help="every dead letter there is now")
    _filters(parser)
    parser.add_argument("--limit", metavar="N", type=whole, help="at most so many")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return retry


def register_delete(parser: argparse.ArgumentParser) -> Command:
    """Remove one dead letter."""
    parser.add_argument("id", metavar="ID", help="the dead letter")
    return delete


def register_purge(parser: argparse.ArgumentParser) -> Command:
    """Remove old dead letters."""
    parser.add_argument(
        "--older-than", metavar="D", type=duration, default=_DAY, help="default: 1d"
    )
    _filters(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return purge


def list_letters(args: argparse.Namespace, context: Context) -> int:
    """Print one page of dead letters, and where the next one begins."""
    console = context.console
    with context.queue() as queue:
        page = queue.dead_letters(
            args.limit, task_name=args.task, queue=args.queue, cursor=args.cursor
        )
    if console.as_json:
        console.document({"dead_letters": page, "next_cursor": page.next_cursor})
    elif page:
        console.data(columns(_HEAD, map(_row, page), width=console.width))
        if page.next_cursor:
            console.say(f"next page: --cursor {page.next_cursor}")
    else:
        console.say("no dead letters")
    return 0


def retry(args: argparse.Namespace, context: Context) -> int:
    """Retry one dead letter, or all, and print the ids of the new jobs."""
    if args.all == (args.id is not None):
        raise Failure("give either the ID of a dead letter or --all", code=2)
    if args.all:
        return _retry_all(args, context)
    if (args.task, args.queue, args.limit) != (None, None, None):
        raise Failure("--task, --queue and --limit go with --all", code=2)
    console = context.console
    with context.queue() as queue:
        new = queue.retry_dead(args.id)
    if console.as_json:
        console.document({"new_job_id": new})
    else:
        console.data(new)
    return 0


def delete(args: argparse.Namespace, context: Context) -> int:
    """Remove one dead letter."""
    console = context.console
    with context.queue() as queue:
        if not queue.delete_dead(args.id):
            message = f"dead letter not found: {args.id}"
            raise Failure(message, hint="see: taskito dead list", code=NOT_FOUND)
    if console.as_json:
        console.document({"deleted": True})
    else:
        console.say(f"removed {args.id}")
    return 0


def purge(args: argparse.Namespace, context: Context) -> int:
    """Remove dead letters that are older than a time."""
    console = context.console
    with context.queue() as queue:
        age = f" of jobs that died more than {span(args.older_than)} ago" if args.older_than else ""
        console.confirm(f"Remove the dead letters{age}{_of(args)}?", yes=args.yes)
        with Progress("removed", shown=console.talks) as progress:
            removed = retention.purge_dead(
                queue._database,  # noqa: SLF001 - of our own package
                round(args.older_than * 1000),
                queue=args.queue,
                task=args.task,
                on_progress=progress,
            )
    if console.as_json:
        console.document({"purged": removed})
    else:
        console.say(f"removed {removed:,} dead letters")
    return 0


def _retry_all(args: argparse.Namespace, context: Context) -> int:
    console = context.console
    with context.queue() as queue:
        console.confirm(f"Run the jobs of all dead letters{_of(args)} again?", yes=args.yes)
        with Progress("retried", total=args.limit, shown=console.talks) as progress:
            new = retention.retry_all_dead(
                queue._database,  # noqa: SLF001 - of our own package
                queue=args.queue,
                task=args.task,
                limit=args.limit,
                on_progress=progress,
            )
    if console.as_json:
        console.document({"new_job_ids": new})
    elif new:
        console.data("\n".join(new))
    else:
        console.say("no dead letters")
    return 0


def _filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", metavar="NAME", help="only those of this task")
    parser.add_argument("--queue", metavar="NAME", help="only those of this queue")


def _of(args: argparse.Namespace) -> str:
    """Return the filters as words."""
    task = f" of task {args.task!r}" if args.task else ""
    return task + (f" in queue {args.queue!r}" if args.queue else "")


def _row(letter: dict[str, Any]) -> tuple[str, ...]:
    return (
        letter["id"],
        letter["original_job_id"],
        letter["task_name"],
        letter["queue"],
        str(letter["retry_count"]),
        ago(letter["failed_at"]),
        last_line(letter["error"]),
    )
