"""Arguments, dispatch and exit codes."""

import argparse
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from taskito.cli import (
    _dead,
    _doctor,
    _failures,
    _info,
    _jobs,
    _operate,
    _periodic,
    _queues,
    _worker,
    _workers,
)
from taskito.cli._console import NOT_FOUND, Console, Failure
from taskito.cli._context import Context, Host
from taskito.cli._flags import APP_HELP, Command, Register, global_flags, group_alone
from taskito.cli._plugins import plugins
from taskito.exceptions import JobNotFoundError, ScheduleNotFoundError, TaskitoError

_BUILTIN: dict[str, tuple[str, Register]] = {
    "worker": ("run jobs until a signal", _worker.register),
    "info": ("how many jobs there are", _info.register),
    "jobs": ("what became of jobs; cancel, retry", _jobs.register),
    "dead": ("dead letters: list, retry, remove", _dead.register),
    "failures": ("groups of failures: list, show, retry, judge", _failures.register),
    "periodic": ("schedules: list, pause, resume, trigger, coming fires", _periodic.register),
    "queues": ("what waits where; pause, resume", _queues.register),
    "workers": ("who works; let one finish and leave", _workers.register),
    "purge": ("delete finished jobs", _operate.register_purge),
    "mark": ("mark this instant on charts, as a deployment", _operate.register_mark),
    "check": ("whether what waits fits the program's tasks", _operate.register_check),
    "doctor": ("whether everything is in place", _doctor.register),
    "snapshot": ("copy the database while everybody goes on", _operate.register_snapshot),
    "version": ("what is installed", _info.register_version),
}
_USAGE = 2
_INTERRUPTED = 130


def run(argv: Sequence[str] | None, host: Host | None = None) -> int:
    """Run the command line, maybe as part of another program, and return the exit code."""
    stdout: object = sys.stdout
    if isinstance(stdout, io.TextIOWrapper):
        stdout.reconfigure(errors="backslashreplace")
    words = sys.argv[1:] if argv is None else argv
    parser = _parser(words, host)
    try:
        args = parser.parse_args(words)
    except _MisuseError as misuse:
        return misuse.told(as_json="--json" in words)
    with Context(args, host) as context:
        return _dispatched(args, context, parser)


def _dispatched(args: argparse.Namespace, context: Context, parser: argparse.ArgumentParser) -> int:
    command: Command = getattr(args, "command", group_alone(parser))
    try:
        return command(args, context)
    except Failure as failure:
        context.console.failure(failure)
        return failure.code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; nor may the interpreter complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except TaskitoError as error:
        message = str(error.args[0]) if error.args else ""
        context.console.failure(Failure(message, hint=error.hint))
        if isinstance(error, JobNotFoundError | ScheduleNotFoundError):
            return NOT_FOUND
    except (ValueError, ImportError, OSError) as error:
        message, _, hint = str(error).partition("\nhint: ")
        context.console.failure(Failure(message, hint=hint or None))
    return 1


class _MisuseError(Exception):
    """The words make no command: a usage error, exit code 2."""

    def __init__(self, parser: argparse.ArgumentParser, message: str) -> None:
        super().__init__(message)
        self._parser = parser

    def told(self, *, as_json: bool) -> int:
        """Print what is wrong to stderr, as JSON or as argparse does; the exit code."""
        if as_json:
            failure = Failure(str(self), hint=f"see: {self._parser.prog} --help", code=_USAGE)
            Console(as_json=True).failure(failure)
        else:
            self._parser.print_usage(sys.stderr)
            print(f"{self._parser.prog}: error: {self}", file=sys.stderr)
        return _USAGE


class _Parser(argparse.ArgumentParser):
    """Leaves it to :func:`run` how to tell of a mistake. Its sub-parsers are of this class."""

    def error(self, message: str) -> NoReturn:
        raise _MisuseError(self, message)


def _parser(argv: Sequence[str], host: Host | None = None) -> argparse.ArgumentParser:
    prog, app_help = ("taskito", APP_HELP) if host is None else (host.prog, host.app_help)
    common = global_flags(app_help)
    about = "A durable task queue without a broker."
    parser: argparse.ArgumentParser = _Parser(prog=prog, description=about, parents=[common])
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    registers = dict(_BUILTIN)
    # Looking for plug-ins reads the metadata of every package; our own commands need none.
    if _command_word(argv) not in registers:
        registers = plugins(Console()) | registers
    for name, (purpose, register) in registers.items():
        command = commands.add_parser(name, parents=[common], help=purpose, description=purpose)
        command.set_defaults(app_help=app_help)  # for the commands below it
        command.set_defaults(command=register(command))
    return parser


def _command_word(argv: Sequence[str]) -> str | None:
    """Return the first word that is neither a global flag nor the value of one."""
    words = iter(argv)
    for word in words:
        if word in {"--app", "--db"}:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None
