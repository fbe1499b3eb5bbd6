"""The ``taskito`` commands inside the command line of a framework."""

from collections.abc import Sequence

from taskito.cli import _insist_on_exit
from taskito.cli._console import Failure
from taskito.cli._context import Host
from taskito.cli._run import run

__all__ = ["Failure", "Host", "run_hosted"]


def run_hosted(argv: Sequence[str], host: Host, *, ends_process: bool) -> int:
    """Run a ``taskito`` command line with the queue of another program's application.

    The queue is left as it was found: a command that closes it closes files of its own.

    Args:
        argv: The arguments after ``host.prog``.
        host: The other program.
        ends_process: Whether the process ends with this command, so that threads which a
            task left behind must not keep it alive.

    Returns:
        The exit code.

    Raises:
        SystemExit: After ``--help`` and ``--version``, and for arguments that are none.
    """
    code = run(argv, host)
    if ends_process:
        _insist_on_exit(code)
    return code
