"""The flags that every command takes, and how a command says what it takes itself."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from taskito._version import __version__

if TYPE_CHECKING:
    from taskito.cli._context import Context

Command: TypeAlias = Callable[[argparse.Namespace, "Context"], int]
Register: TypeAlias = Callable[[argparse.ArgumentParser], Command]

_LONGEST = 100 * 365 * 86_400
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


APP_HELP = "the queue; else TASKITO_APP"
"""What ``--app`` means, unless the default ``app_help`` of a parser says otherwise."""


def global_flags(app_help: str = APP_HELP) -> argparse.ArgumentParser:
    """Return the flags that work before and after the command.

    They have no defaults: a flag that was given before would be reset by the second parser.
    """
    flags = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = flags.add_argument_group("global options")
    group.add_argument("--app", metavar="MODULE:ATTRIBUTE", help=app_help)
    group.add_argument("--db", metavar="PATH", help="a database file that exists")
    group.add_argument("--json", action="store_true", help="one JSON document on stdout")
    group.add_argument("--no-color", action="store_true", help="plain text; also NO_COLOR")
    group.add_argument("--quiet", action="store_true", help="data and errors only")
    group.add_argument("--version", action="version", version=f"taskito {__version__}")
    return flags


def command_group(
    parser: argparse.ArgumentParser, members: dict[str, tuple[str, Register]]
) -> Command:
    """Give ``parser`` sub-commands, as ``jobs`` has ``list`` and ``show``.

    Args:
        parser: The command that stands for the group.
        members: By name, what a sub-command is for and what adds its arguments.

    Returns:
        What runs when no sub-command is given: it prints the help, a usage error.
    """
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    app_help: str = parser.get_default("app_help") or APP_HELP
    common = global_flags(app_help)
    for name, (purpose, register) in members.items():
        member = commands.add_parser(name, parents=[common], help=purpose, description=purpose)
        member.set_defaults(command=register(member))

    return group_alone(parser)


def group_alone(parser: argparse.ArgumentParser) -> Command:
    """Return what runs when a command is missing: it prints the help, a usage error."""

    def usage(_args: argparse.Namespace, context: "Context") -> int:
        import sys  # noqa: PLC0415

        from taskito.cli._console import Failure  # noqa: PLC0415 - for mistakes alone

        if context.console.as_json:
            raise Failure("no command is given", hint=f"see: {parser.prog} --help", code=2)
        parser.print_help(sys.stderr)
        return 2

    return usage


def duration(text: str) -> float:
    """Return the seconds of ``90``, ``30s``, ``15m``, ``12h`` or ``7d``, for ``type=``."""
    number, unit = (text[:-1], _UNITS[text[-1]]) if text[-1:] in _UNITS else (text, 1)
    try:
        seconds = float(number) * unit
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= _LONGEST:  # nor is "nan" one
        message = f"not a duration: {text!r}; write 90, 30s, 15m, 12h or 7d"
        raise argparse.ArgumentTypeError(message)
    return seconds


def whole(text: str) -> int:
    """Return a whole number from 0, for ``type=``."""
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"not a whole number from 0: {text!r}")
    return number
