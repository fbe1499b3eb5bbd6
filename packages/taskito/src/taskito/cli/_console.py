"""What a command says, and where."""

import json
import os
import shutil
import sys
from typing import TextIO

NOT_FOUND = 3
_RED, _BOLD = "31", "1"


class Failure(Exception):  # noqa: N818 - it is the end of a command, not a defect
    """A command cannot go on.

    Attributes:
        hint: What to do about it, or ``None``.
        code: The exit code.
    """

    def __init__(self, message: str, *, hint: str | None = None, code: int = 1) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


class Console:
    """Data on stdout, talk on stderr, colour on terminals only."""

    def __init__(
        self, *, as_json: bool = False, quiet: bool = False, no_color: bool = False
    ) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._no_color = no_color or bool(os.environ.get("NO_COLOR"))

    def data(self, text: str) -> None:
        """Print what was asked for."""
        print(text, flush=True)

    def document(self, value: object) -> None:
        """Print one JSON document."""
        print(json.dumps(value), flush=True)

    @property
    def talks(self) -> bool:
        """Whether a person is told what goes on: not with ``--json`` or ``--quiet``."""
        return not (self.as_json or self.quiet)

    def say(self, text: str) -> None:
        """Tell a person what was done."""
        if self.talks:
            print(text, flush=True)

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on only if a person agrees, or has agreed beforehand with ``--yes``.

        Raises:
            Failure: With exit code 2 when there is nobody to ask, and 1 after a no.
        """
        if yes:
            return
        if not sys.stdin.isatty():
            raise Failure("this needs a confirmation", hint="add --yes", code=2)
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise Failure("not confirmed; nothing was changed")

    @property
    def width(self) -> int | None:
        """Columns of the terminal; ``None`` if stdout is none, and nothing is to be cut."""
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else None

    def headline(self, text: str) -> str:
        """Return text that stands out on stdout."""
        return self._painted(text, _BOLD, sys.stdout)

    def failure(self, failure: Failure) -> None:
        """Say on stderr why the command failed."""
        if self.as_json:
            print(json.dumps({"error": str(failure), "hint": failure.hint}), file=sys.stderr)
            return
        print(self._painted("Error:", _RED, sys.stderr), failure, file=sys.stderr)
        if failure.hint:
            print(f"hint: {failure.hint}", file=sys.stderr)

    def warning(self, text: str) -> None:
        """Say on stderr what went wrong without stopping the command."""
        print("Warning:", text, file=sys.stderr)

    def _painted(self, text: str, code: str, stream: TextIO) -> str:
        if self._no_color or not stream.isatty():
            return text
        return f"\x1b[{code}m{text}\x1b[0m"
