"""The ``taskito`` command, called in this process."""

import io

from taskito.cli import main


def command(*argv: str) -> int:
    """Run a command line and return its exit code."""
    try:
        main(argv)
    except SystemExit as end:
        return int(str(end.code))
    return 0


class Terminal(io.StringIO):
    """Text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True
