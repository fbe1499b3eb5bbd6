"""Commands of other packages, and what to say when a known one is not installed."""

import argparse
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from taskito.cli._console import Console, Failure
from taskito.cli._flags import Command, Register

if TYPE_CHECKING:
    from taskito.cli._context import Context

_GROUP = "taskito.cli"


def plugins(console: Console) -> dict[str, tuple[str, Register]]:
    """Return the commands that installed packages add, by name.

    An entry point of the group ``taskito.cli`` is named after its command and loads to a
    function ``register(parser)`` that adds arguments and returns what runs the command:
    ``command(args, context)``, which returns the exit code. One that does not load is
    reported on stderr and breaks no other command.
    """
    found: dict[str, tuple[str, Register]] = {"dashboard": ("the web page", _no_dashboard)}
    for entry in entry_points(group=_GROUP):
        source = f"the command {entry.name!r} ({entry.value}) cannot be loaded"
        try:
            register: Register = entry.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - another package's code
            console.warning(f"{source}: {_cause(error)}")
            continue
        purpose = (register.__doc__ or f"from {entry.value}").partition("\n")[0]
        found[entry.name] = (purpose, _guarded(register, source, console))
    return found


def _guarded(register: Register, source: str, console: Console) -> Register:
    """Return ``register``, of which an error is reported and ends its own command alone."""

    def guarded(parser: argparse.ArgumentParser) -> Command:
        try:
            return register(parser)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - another package's code
            message = f"{source}: {_cause(error)}"
            console.warning(message)

        def command(_args: argparse.Namespace, _context: "Context") -> int:
            raise Failure(message)

        return command

    return guarded


def _cause(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _no_dashboard(parser: argparse.ArgumentParser) -> Command:
    # Its own options are no usage error: what is wrong is that it is missing.
    for option in ("--host", "--port", "--token"):
        parser.add_argument(option, help=argparse.SUPPRESS)
    parser.add_argument("--read-only", action="store_true", help=argparse.SUPPRESS)

    def command(_args: argparse.Namespace, _context: "Context") -> int:
        message = "the web page is a package of its own, taskito-dashboard, and is not installed"
        raise Failure(message, hint="pip install 'taskito[dashboard]'")

    return command
