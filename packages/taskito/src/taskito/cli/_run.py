"""Arguments, dispatch and exit codes."""

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias

from taskito._version import __version__
from taskito.cli._console import Console, Failure
from taskito.exceptions import TaskitoError

Command: TypeAlias = Callable[[argparse.Namespace, Console], int]

_USAGE = 2
_INTERRUPTED = 130


def run(argv: Sequence[str] | None) -> int:
    """Run the command line and return the exit code."""
    stdout: object = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):
        stdout.reconfigure(errors="backslashreplace")
    parser = _parser()
    args = parser.parse_args(argv)
    console = Console(
        as_json=getattr(args, "json", False),
        quiet=getattr(args, "quiet", False),
        no_color=getattr(args, "no_color", False),
    )
    command: Command | None = getattr(args, "command", None)
    if command is None:
        parser.print_help(sys.stderr)
        return _USAGE
    try:
        return command(args, console)
    except Failure as failure:
        console.failure(failure)
        return failure.code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except TaskitoError as error:
        console.failure(Failure(str(error.args[0]) if error.args else "", hint=error.hint))
    except (ValueError, ImportError, OSError) as error:
        message, _, hint = str(error).partition("\nhint: ")
        console.failure(Failure(message, hint=hint or None))
    return 1


def _parser() -> argparse.ArgumentParser:
    common = _global_flags()
    parser = argparse.ArgumentParser(
        prog="taskito", description="A durable task queue without a broker.", parents=[common]
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    worker = commands.add_parser("worker", parents=[common], help="run jobs until a signal")
    worker.add_argument("--queues", metavar="A,B", help="only these queues (default: all)")
    worker.add_argument("--workers", metavar="N", type=int, help="threads; 0 is one per CPU")
    worker.add_argument(
        "--drain-timeout",
        metavar="S",
        type=_seconds,
        help="time for running jobs to finish: 90, 30s, 15m",
    )
    worker.set_defaults(command=_worker)

    info = commands.add_parser("info", parents=[common], help="how many jobs there are")
    info.add_argument("--watch", action="store_true", help="redraw every 2 s until Ctrl+C")
    info.set_defaults(command=_info)

    version = commands.add_parser("version", parents=[common], help="what is installed")
    version.set_defaults(command=_version)
    return parser


def _global_flags() -> argparse.ArgumentParser:
    """Return the flags that work before and after the command.

    They have no defaults: a flag that was given before would be reset by the second parser.
    """
    flags = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = flags.add_argument_group("global options")
    group.add_argument("--app", metavar="MODULE:ATTRIBUTE", help="the queue; else TASKITO_APP")
    group.add_argument("--db", metavar="PATH", help="a database file that exists")
    group.add_argument("--json", action="store_true", help="one JSON document on stdout")
    group.add_argument("--no-color", action="store_true", help="plain text; also NO_COLOR")
    group.add_argument("--quiet", action="store_true", help="data and errors only")
    group.add_argument("--version", action="version", version=f"taskito {__version__}")
    return flags


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(text: str) -> float:
    """Return the seconds of ``90``, ``30s``, ``15m``, ``12h`` or ``7d``."""
    number, unit = (text[:-1], _UNITS[text[-1]]) if text[-1:] in _UNITS else (text, 1)
    try:
        return float(number) * unit
    except ValueError:
        message = f"not a duration: {text!r}; write 90, 30s, 15m, 12h or 7d"
        raise argparse.ArgumentTypeError(message) from None


def _worker(args: argparse.Namespace, console: Console) -> int:
    from taskito.cli._worker import worker  # noqa: PLC0415 - other commands need no engine

    return worker(args, console)


def _info(args: argparse.Namespace, console: Console) -> int:
    from taskito.cli._info import info  # noqa: PLC0415

    return info(args, console)


def _version(_args: argparse.Namespace, console: Console) -> int:
    from taskito.cli._info import version  # noqa: PLC0415

    return version(console)
