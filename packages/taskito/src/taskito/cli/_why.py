"""``taskito jobs why``: what keeps a job from starting."""

import argparse
from dataclasses import asdict

from taskito.cli._context import Context, find_job
from taskito.cli._flags import Command
from taskito.cli._text import one_line

_NOTHING = "nothing keeps it from starting"


def register(parser: argparse.ArgumentParser) -> Command:
    """Say why one job does not run."""
    parser.add_argument("id", metavar="ID", help="the job")
    return why


def why(args: argparse.Namespace, context: Context) -> int:
    """Print every reason on a line of its own."""
    console = context.console
    with context.queue() as queue:
        answer = find_job(queue, args.id).why()
    if console.as_json:
        console.document(asdict(answer))
    else:
        lines = [one_line(reason.message) for reason in answer.reasons]
        console.data("\n".join(lines or [_NOTHING]))
    return 0
