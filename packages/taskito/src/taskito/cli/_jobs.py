"""``taskito jobs``: what became of jobs, and doing something about it."""

import argparse
import json
from collections.abc import Mapping
from typing import Any, cast

from taskito.cli import _bulk, _logs, _why
from taskito.cli._console import Failure
from taskito.cli._context import Context, find_job
from taskito.cli._flags import Command, command_group, duration, whole
from taskito.cli._text import ago, columns, last_line, milliseconds, pairs, printable, when
from taskito.job import JobResult
from taskito.queue import Queue

_STATUSES = ("pending", "running", "complete", "completed", "failed", "dead", "cancelled")
_HEAD = ("ID", "TASK", "QUEUE", "STATUS", "RETRIES", "CREATED", "ERROR")
_PAGE = 500


def register(parser: argparse.ArgumentParser) -> Command:
    """What became of jobs; cancel, retry."""
    return command_group(
        parser,
        {
            "list": ("jobs, newest first", register_list),
            "show": ("all about one job", register_show),
            "why": ("what keeps a job from starting", _why.register),
            "logs": ("what a job logged", _logs.register),
            "cancel": ("cancel what waits, ask what runs to end", register_cancel),
            "retry": ("run finished jobs once more", register_retry),
            "delete": ("delete finished jobs", _bulk.register_delete),
            "export": ("write jobs to a file", _bulk.register_export),
        },
    )


def register_list(parser: argparse.ArgumentParser) -> Command:
    """List jobs, newest first."""
    _bulk.add_filter(parser)
    parser.add_argument("--status", choices=_STATUSES, help="only jobs in this status")
    parser.add_argument("--queue", metavar="NAME", help="only jobs of this queue")
    parser.add_argument("--task", metavar="NAME", help="only jobs of this task")
    parser.add_argument(
        "--since", metavar="D", type=duration, help="stored within: 90, 30s, 15m, 12h, 7d"
    )
    parser.add_argument(
        "--metadata", metavar="TEXT", help="metadata has this text, or the keys of a JSON object"
    )
    parser.add_argument("--error", metavar="TEXT", help="the error has this text")
    parser.add_argument("--limit", metavar="N", type=whole, default=50, help="default: 50")
    parser.add_argument("--cursor", metavar="C", help="where the page before ended")
    return list_jobs


def register_show(parser: argparse.ArgumentParser) -> Command:
    """Show one job."""
    parser.add_argument("id", metavar="ID", help="the job")
    return show


def register_cancel(parser: argparse.ArgumentParser) -> Command:
    """Cancel one job, or all that match."""
    _bulk.add_filter(parser, nargs="+", one="the id of a job, or ")
    _bulk.add_operation(parser)
    return cancel


def register_retry(parser: argparse.ArgumentParser) -> Command:
    """Retry one job, or all that match."""
    _bulk.add_filter(parser, nargs="+", one="the id of a job, or ")
    _bulk.add_retry(parser)
    return retry


def list_jobs(args: argparse.Namespace, context: Context) -> int:
    """Print one page of jobs, and where the next one begins."""
    console = context.console
    if args.filter:
        return _search(args, context)
    with context.queue() as queue:
        page = queue.list_jobs(
            args.status,
            args.queue,
            args.task,
            args.limit,
            created_after=None if args.since is None else _instant_before(args.since),
            metadata=_metadata(args.metadata),
            error=args.error,
            cursor=args.cursor,
        )
        jobs = [job.to_dict() for job in page]
    if console.as_json:
        console.document({"jobs": jobs, "next_cursor": page.next_cursor})
    elif jobs:
        console.data(columns(_HEAD, map(_row, jobs), width=console.width))
        if page.next_cursor:
            console.say(f"next page: --cursor {page.next_cursor}")
    else:
        console.say("no such jobs")
    return 0


def _search(args: argparse.Namespace, context: Context) -> int:
    from taskito.bulk import Bulk  # noqa: PLC0415 - for few commands

    flags = ("status", "queue", "task", "since", "metadata", "error")
    given = next((flag for flag in flags if getattr(args, flag) is not None), None)
    if given is not None:
        hint = "say all in the filter, as in 'state:dead task:send_* age<1h'"
        raise Failure(f"a filter and --{given} exclude each other", hint=hint, code=2)
    which = _bulk.filter_of(args.filter)
    console = context.console
    with context.queue() as queue:
        page = Bulk(queue).search(which, limit=args.limit, cursor=args.cursor)
        jobs = [job.to_dict() for job in page]
    if console.as_json:
        facts = {"jobs": jobs, "next_cursor": page.next_cursor, "searched": page.searched}
        console.document(facts)
        return 0
    if jobs:
        console.data(columns(_HEAD, map(_row, jobs), width=console.width))
    else:
        console.say("no such jobs")
    if page.searched is not None:
        console.say(f"searched {page.searched:,} jobs; older ones: --cursor {page.next_cursor}")
    elif page.next_cursor:
        console.say(f"next page: --cursor {page.next_cursor}")
    return 0


def show(args: argparse.Namespace, context: Context) -> int:
    """Print one job with its failed attempts and what it depends on."""
    console = context.console
    with context.queue() as queue:
        job = find_job(queue, args.id)
        facts = {
            **job.to_dict(),
            "errors": job.errors,
            "dependencies": job.dependencies,
            "dependents": job.dependents,
        }
    if console.as_json:
        console.document(facts)
    else:
        console.data(_described(facts))
    return 0


def cancel(args: argparse.Namespace, context: Context) -> int:
    """Cancel a pending job; ask a running one to end. Or do that to all that match."""
    console = context.console
    if not _bulk.is_one_id(args.filter):
        return _bulk.operate("cancel", args, context)
    with context.queue() as queue:
        job = find_job(queue, args.filter[0])
        if not job.cancel():
            raise Failure(
                f"job {job.id} is {job.status}", hint="only unfinished jobs can be cancelled"
            )
        cancelled = job.status == "cancelled"
    if console.as_json:
        console.document({"cancelled": cancelled, "cancel_requested": not cancelled})
    elif cancelled:
        console.say(f"cancelled {job.id}")
    else:
        console.say(f"asked {job.id}, which is running, to end")
    return 0


def retry(args: argparse.Namespace, context: Context) -> int:
    """Store a finished job once more and print the id of the new one. Or all that match."""
    console = context.console
    if not _bulk.is_one_id(args.filter):
        return _bulk.operate("retry", args, context)
    with context.queue() as queue:
        job = find_job(queue, args.filter[0])
        status = job.status
        if status == "dead":
            new = queue.retry_dead(_letter_of(queue, job))
        elif status in {"complete", "cancelled"}:
            new = queue.replay(job.id).id
        else:
            raise Failure(f"job {job.id} is {status}", hint="only finished jobs can be retried")
    if console.as_json:
        console.document({"new_job_id": new})
    else:
        console.data(new)
    return 0


def _letter_of(queue: Queue, job: JobResult[Any]) -> str:
    """Return the id of the dead letter of a dead job."""
    cursor = None
    while True:
        page = queue.dead_letters(_PAGE, task_name=job.task_name, queue=job.queue, cursor=cursor)
        for letter in page:
            if letter["original_job_id"] == job.id:
                return str(letter["id"])
        cursor = page.next_cursor
        if cursor is None:
            hint = "it was retried or removed; queue.replay() runs the job again all the same"
            raise Failure(f"job {job.id} has no dead letter any more", hint=hint)


def _row(job: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        job["id"],
        job["task_name"],
        job["queue"],
        job["status"],
        f"{job['retry_count']}/{job['max_retries']}",
        ago(job["created_at"]),
        last_line(job["error"]),
    )


def _described(job: Mapping[str, Any]) -> str:
    limit = f"{job['timeout_ms'] / 1000:g} s" if job["timeout_ms"] else "none"
    progress = None if job["progress"] is None else f"{job['progress']} %"
    facts = pairs(
        [
            ("id", job["id"]),
            ("task", job["task_name"]),
            ("queue", job["queue"]),
            ("status", job["status"]),
            ("progress", progress),
            ("retries", f"{job['retry_count']} of {job['max_retries']}"),
            ("priority", str(job["priority"])),
            ("timeout", limit),
            ("created", when(job["created_at"])),
            ("due", when(job["scheduled_at"])),
            ("started", when(job["started_at"])),
            ("ended", when(job["completed_at"])),
            ("unique key", job["unique_key"]),
            ("metadata", job["metadata"]),
            ("depends on", ", ".join(job["dependencies"]) or None),
            ("dependents", ", ".join(job["dependents"]) or None),
        ]
    )
    attempts = [
        f"\nattempt {attempt['attempt']} failed {when(attempt['failed_at'])}\n"
        f"{printable(attempt['error'])}"
        for attempt in job["errors"]
    ]
    if job["error"] and not attempts:
        attempts.append(f"\n{printable(job['error'])}")
    return "\n".join([facts, *attempts])


def _metadata(text: str | None) -> str | dict[str, Any] | None:
    """Return the filter that ``--metadata`` stands for."""
    try:
        value: Any = json.loads(text or "")
    except ValueError:
        return text
    return cast("dict[str, Any]", value) if isinstance(value, dict) else text


def _instant_before(seconds: float) -> int:
    return milliseconds() - round(seconds * 1000)
