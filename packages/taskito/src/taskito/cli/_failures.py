"""``taskito failures``: groups of failures, and what is done with their dead jobs."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from taskito.cli._bulk import add_retry, carried_out, show, told, who
from taskito.cli._console import NOT_FOUND, Failure
from taskito.cli._context import Context
from taskito.cli._flags import Command, command_group
from taskito.cli._text import ago, columns, pairs, printable, when
from taskito.queue import Queue

if TYPE_CHECKING:
    from taskito._core import GroupRow
    from taskito._groups import State
    from taskito.filters import Filter

_HEAD = ("GROUP", "STATE", "TASK", "DEAD", "RETRYING", "FIRST", "LAST", "ERROR")
_SAMPLES = 10
_SEE = "see: taskito failures list"


def register(parser: argparse.ArgumentParser) -> Command:
    """Groups of failures: list, show, retry, discard, judge."""
    return command_group(
        parser,
        {
            "list": ("groups of failures, the one that failed last first", register_list),
            "show": ("what the failures of a group share, and its jobs", register_show),
            "retry": ("retry the dead jobs of a group", register_retry),
            "discard": ("remove the dead letters of a group; its jobs stay", register_discard),
            "silence": ("show a group behind the open ones, whatever comes", _judging("silenced")),
            "resolve": ("do so until its next failure", _judging("resolved")),
            "open": ("show it among the open ones again", _judging("open")),
        },
    )


def register_list(parser: argparse.ArgumentParser) -> Command:
    """List groups."""
    states = ("open", "silenced", "resolved")
    parser.add_argument("--state", choices=states, help="only groups of this state")
    parser.add_argument("--task", metavar="NAME", help="only those of this task")
    return list_groups


def register_show(parser: argparse.ArgumentParser) -> Command:
    """Show one group."""
    _add_group(parser)
    return show_group


def register_retry(parser: argparse.ArgumentParser) -> Command:
    """Retry the dead jobs of a group."""
    _add_group(parser)
    add_retry(parser)
    return retry


def register_discard(parser: argparse.ArgumentParser) -> Command:
    """Remove the dead letters of a group."""
    _add_group(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    return discard


def list_groups(args: argparse.Namespace, context: Context) -> int:
    """Print up to 1,000 groups, the one that failed last first."""
    from taskito._groups import Groups, document  # noqa: PLC0415 - for few commands

    console = context.console
    with context.queue() as queue:
        groups = Groups(queue._database).all(state=args.state, task=args.task)  # noqa: SLF001
    if console.as_json:
        console.document({"failures": [document(group) for group in groups]})
    elif groups:
        console.data(columns(_HEAD, map(_row, groups), width=console.width))
    else:
        console.say("no failures")
    return 0


def show_group(args: argparse.Namespace, context: Context) -> int:
    """Print what the failures of a group share, its newest traceback and some of its jobs."""
    from taskito._groups import Groups, document  # noqa: PLC0415 - for few commands

    console = context.console
    with context.queue() as queue:
        group = _found(queue, args.group)
        groups = Groups(queue._database)  # noqa: SLF001 - of our own package
        newest = next(iter(groups.attempts(group.fingerprint, 1)), None)
        jobs = groups.jobs(group.fingerprint, _SAMPLES)
    error = newest.error if newest else ""
    if console.as_json:
        samples = [{"id": job.id, "status": job.status, "preview": job.preview} for job in jobs]
        message = newest.message if newest else None
        facts = {"message": message, "error": error, "jobs": samples}
        console.document({**document(group), **facts})
        return 0
    lines = (
        ("group", group.fingerprint),
        ("state", group.state),
        ("task", group.task),
        ("error", _said(group)),
        ("where", group.location or None),
        ("dead", f"{group.dead:,}"),
        ("retrying", f"{group.retrying:,}"),
        ("first seen", when(group.first_seen)),
        ("last seen", when(group.last_seen)),
    )
    console.data(pairs(lines))
    if error:
        console.data(f"\n{printable(error)}")
    if jobs:
        rows = [(job.id, job.status, f"{job.task}({job.preview or ''})") for job in jobs]
        console.data(f"\n{columns(('ID', 'STATUS', 'CALL'), rows, width=console.width)}")
    return 0


def retry(args: argparse.Namespace, context: Context) -> int:
    """Retry the dead jobs of a group and watch it.

    Ctrl+C ends the operation; what was done stays done.
    """
    from taskito.bulk import Bulk  # noqa: PLC0415 - for few commands

    console = context.console
    with context.queue() as queue:
        group = _found(queue, args.group)
        bulk, which = Bulk(queue), _dead_jobs(group)
        found = bulk.count(which)
        if not found.number:
            hint = "those that wait for another attempt go on alone"
            raise Failure("the group has no dead job", hint=hint, code=NOT_FOUND)
        if args.dry_run:
            show("retry", bulk, which, found, console)
            return 0
        console.confirm(f"Retry {found.jobs()} of {_named(group)}?", yes=args.yes)
        over = carried_out("retry", bulk, which, args, quiet=not console.talks)
    if console.as_json:
        console.document(over.to_dict())
    return told(over, console)


def discard(args: argparse.Namespace, context: Context) -> int:
    """Remove the dead letters of a group."""
    from taskito._groups import Groups  # noqa: PLC0415 - for few commands
    from taskito.bulk import Bulk  # noqa: PLC0415

    console = context.console
    with context.queue() as queue:
        group = _found(queue, args.group)
        console.confirm(f"Remove {group.dead:,} dead letters of {_named(group)}?", yes=args.yes)
        removed = Groups(queue._database).discard(group.fingerprint)  # noqa: SLF001
        Bulk(queue).audit(who(), "discard", group.fingerprint, removed)
    if console.as_json:
        console.document({"deleted": removed})
    else:
        console.say(f"removed {removed:,} dead letters")
    return 0


def _judging(state: "State") -> Callable[[argparse.ArgumentParser], Command]:
    def register(parser: argparse.ArgumentParser) -> Command:
        _add_group(parser)
        return judge

    def judge(args: argparse.Namespace, context: Context) -> int:
        from taskito._groups import Groups, document  # noqa: PLC0415 - for few commands
        from taskito.bulk import Bulk  # noqa: PLC0415

        console = context.console
        with context.queue() as queue:
            fingerprint = _found(queue, args.group).fingerprint
            Groups(queue._database).judge(fingerprint, state)  # noqa: SLF001 - our own
            Bulk(queue).audit(who(), _DEEDS[state], fingerprint)
            group = _found(queue, fingerprint)
        if console.as_json:
            console.document(document(group))
        else:
            console.say(f"{group.state}: {_named(group)}")
        return 0

    return register


_DEEDS = {"silenced": "silence", "resolved": "resolve", "open": "open"}
"""How these are called in the record of what people did."""


def _add_group(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("group", metavar="GROUP", help="its fingerprint, or how that begins")


def _found(queue: Queue, text: str) -> "GroupRow":
    """Return the group that is meant.

    Raises:
        Failure: With exit code 3 if there is none, 2 if several begin like that.
    """
    from taskito._groups import Groups  # noqa: PLC0415 - for few commands

    groups = Groups(queue._database)  # noqa: SLF001 - of our own package
    exact = groups.get(text)
    if exact is not None:
        return exact
    near = [group for group in groups.all() if group.fingerprint.startswith(text.lower())]
    if not text or not near:
        raise Failure(f"group of failures not found: {text!r}", hint=_SEE, code=NOT_FOUND)
    if len(near) > 1:
        raise Failure(f"{len(near)} groups begin with {text!r}", hint="write more of it", code=2)
    return near[0]


def _dead_jobs(group: "GroupRow") -> "Filter":
    from taskito.filters import Filter  # noqa: PLC0415 - for few commands

    return Filter.parse(f"fp:{group.fingerprint} state:dead")


def _said(group: "GroupRow") -> str:
    return f"{group.error_type}: {group.template}" if group.template else group.error_type


def _named(group: "GroupRow") -> str:
    return printable(f"group {group.fingerprint} ({group.task}: {_said(group)})")


def _row(group: "GroupRow") -> tuple[str, ...]:
    return (
        group.fingerprint,
        group.state,
        group.task,
        f"{group.dead:,}",
        f"{group.retrying:,}",
        ago(group.first_seen),
        ago(group.last_seen),
        _said(group),
    )
