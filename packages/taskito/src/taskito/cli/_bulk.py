"""``taskito jobs retry|cancel|delete FILTER`` and ``jobs export``: all jobs that match."""

import argparse
import getpass
import sys
import time
from typing import TYPE_CHECKING, Literal

from taskito.cli._console import NOT_FOUND, Console, Failure
from taskito.cli._flags import Command, duration
from taskito.cli._progress import Progress
from taskito.cli._text import columns, printable

if TYPE_CHECKING:
    from taskito.bulk import Bulk, Count, Operation, Verb
    from taskito.cli._context import Context
    from taskito.filters import Filter

_DONE = {"retry": "retried", "cancel": "cancelled", "delete": "deleted"}
_SAMPLES = 5
_LOOK_SECONDS = 0.2
_MOST_PER_SECOND = 100_000
_ID_LENGTH = 36


def register_export(parser: argparse.ArgumentParser) -> Command:
    """Write all jobs that match to stdout."""
    add_filter(parser)
    parser.add_argument("--format", choices=("csv", "json"), default="csv", help="default: csv")
    return export


def register_delete(parser: argparse.ArgumentParser) -> Command:
    """Delete all finished jobs that match."""
    add_filter(parser, nargs="+")
    add_operation(parser)
    return delete


def add_filter(
    parser: argparse.ArgumentParser, *, nargs: Literal["*", "+"] = "*", one: str = ""
) -> None:
    """Add the words of a filter line; ``one`` says what else they may be."""
    parser.add_argument(
        "filter",
        metavar="FILTER",
        nargs=nargs,
        help=f"{one}a filter as in 'state:dead task:send_* age>1h'; in quotes",
    )


def add_operation(parser: argparse.ArgumentParser) -> None:
    """Add the flags of what is done to all jobs that match."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--rate", metavar="N", type=_rate, help="at most so many in a second")


def add_retry(parser: argparse.ArgumentParser) -> None:
    """Add the flags of a retry: those of :func:`add_operation`, and when it ends early."""
    add_operation(parser)
    parser.add_argument(
        "--stop-after", metavar="N", type=number, help="stop when so many new jobs failed"
    )
    parser.add_argument(
        "--canary", metavar="N", type=number, help="retry so many first, and go on if they complete"
    )
    parser.add_argument(
        "--canary-wait",
        metavar="D",
        type=duration,
        help="how long to wait for them; default: 5m",
    )


def filter_of(words: list[str]) -> "Filter":
    """Return the filter that the words of a command make.

    Raises:
        Failure: With exit code 2, and the place.
    """
    from taskito.filters import Filter, FilterError  # noqa: PLC0415 - for few commands

    try:
        return Filter.parse(" ".join(words))
    except FilterError as error:
        raise Failure(str(error.args[0]), hint=error.hint, code=2) from None


def is_one_id(words: list[str]) -> bool:
    """Whether the words are the id of one job."""
    return len(words) == 1 and len(words[0]) == _ID_LENGTH and words[0].count("-") == 4  # noqa: PLR2004


def delete(args: argparse.Namespace, context: "Context") -> int:
    """Delete all finished jobs that match."""
    return operate("delete", args, context)


def operate(verb: "Verb", args: argparse.Namespace, context: "Context") -> int:
    """Do something to all jobs that match, and watch it.

    Ctrl+C ends the operation; what was done stays done.
    """
    from taskito.bulk import Bulk  # noqa: PLC0415 - for few commands

    which = filter_of(args.filter)
    console = context.console
    with context.queue() as queue:
        bulk = Bulk(queue)
        found = count(bulk, which)
        if args.dry_run:
            show(verb, bulk, which, found, console)
            return 0
        console.confirm(f"{verb.capitalize()} {found.jobs()}{which.where()}?", yes=args.yes)
        over = carried_out(verb, bulk, which, args, quiet=not console.talks)
    if console.as_json:
        console.document(over.to_dict())
    return told(over, console)


def count(bulk: "Bulk", which: "Filter") -> "Count":
    """Return how many jobs match.

    Raises:
        Failure: With exit code 3 if none does.
    """
    found = bulk.count(which)
    if not found.number and found.is_whole:
        raise Failure(f"no job matches: {which.in_words()}", code=NOT_FOUND)
    return found


def carried_out(
    verb: "Verb", bulk: "Bulk", which: "Filter", args: argparse.Namespace, *, quiet: bool
) -> "Operation":
    """Begin an operation with the flags of its command, and watch it to its end."""
    names = ("rate", "stop_after", "canary", "canary_wait")
    given = {name: getattr(args, name, None) for name in names}
    flags = {name: value for name, value in given.items() if value is not None}
    operation = bulk.begin(verb, which, who=who(), **flags)
    return _watched(bulk, operation, quiet=quiet)


def told(over: "Operation", console: Console) -> int:
    """Say what an operation did.

    Raises:
        Failure: It was stopped.
    """
    skipped = f", {over.skipped:,} skipped" if over.skipped else ""
    console.say(f"{over.done:,} {_DONE[over.verb]}{skipped}")
    if over.state == "stopped":
        raise Failure(f"stopped before the last job: {over.report}")
    return 0


def export(args: argparse.Namespace, context: "Context") -> int:
    """Write all jobs that match to stdout, newest first."""
    from taskito.bulk import Bulk  # noqa: PLC0415 - for few commands
    from taskito.export import FORMATS  # noqa: PLC0415

    which = filter_of(args.filter)
    with context.queue() as queue:
        rows = (job.to_dict() for job in Bulk(queue).every(which))
        for part in FORMATS["json" if context.console.as_json else args.format](rows):
            sys.stdout.write(part)
    return 0


def show(verb: str, bulk: "Bulk", which: "Filter", found: "Count", console: Console) -> None:
    """Say what would be done, with samples."""
    jobs = [job.to_dict() for job in bulk.search(which, limit=_SAMPLES)]
    if console.as_json:
        facts = {"count": found.number, "is_capped": found.is_capped, "jobs": jobs}
        console.document({"verb": verb, "filter": str(which), **facts})
        return
    console.say(f"would {verb} {found.jobs()}{printable(which.where())}")
    rows = [(job["id"], job["task_name"], job["queue"], job["status"]) for job in jobs]
    console.data(columns(("ID", "TASK", "QUEUE", "STATUS"), rows, width=console.width))


def _watched(bulk: "Bulk", operation: "Operation", *, quiet: bool) -> "Operation":
    """Drive an operation to its end with a line that says how far it is."""
    try:
        with Progress(_DONE[operation.verb], total=operation.total, shown=not quiet) as progress:
            while not operation.is_over:
                pause = bulk.drive()
                if pause != 0:
                    time.sleep(min(pause or _LOOK_SECONDS, _LOOK_SECONDS))
                operation = bulk.get(operation.id) or operation
                waits = ", canary …" if operation.waits_until else ""
                progress(operation.done + operation.skipped, waits)
    except KeyboardInterrupt:
        bulk.stop(operation.id, who=who())
        return bulk.get(operation.id) or operation
    return operation


def who() -> str:
    """Return who is at the command line, for the record."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (OSError, KeyError):  # a user without a name, as in containers
        return "command line"


def number(text: str) -> int:
    """Return a whole number from 1, for ``type=``."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_PER_SECOND):
        raise argparse.ArgumentTypeError(f"not a whole number from 1: {text!r}")
    return int(text)


def _rate(text: str) -> int:
    try:
        return number(text.removesuffix("/s"))
    except argparse.ArgumentTypeError:
        message = f"not a number of jobs in a second: {text!r}; write 20 or 20/s"
        raise argparse.ArgumentTypeError(message) from None
