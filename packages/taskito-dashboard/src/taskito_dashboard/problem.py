"""One thing that is wrong, as the overview says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import Literal

from taskito_dashboard import words

PROGRAM = "MODULE:QUEUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One sentence, one link, at most one command and one button.

    Attributes:
        level: ``bad`` for what stands still, ``warn`` for what may.
        rule: Which rule speaks.
        head: What is wrong, up to the name.
        name: What it is about; text of the application.
        more: What is wrong, after the name.
        tail: The rest of the sentence.
        said: What an exception said, at the end of it.
        link: The parts of an address of the dashboard.
        query: What the address asks for.
        label: What the link says.
        command: What to type, if that helps.
        press: The parts of the address that the button is sent to, if there is one.
        deed: What the button says.
    """

    level: Literal["bad", "warn"]
    rule: str
    head: str
    name: str = ""
    more: str = ""
    tail: str = ""
    said: str = ""
    link: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    label: str = ""
    command: str | None = None
    press: tuple[str, ...] = ()
    deed: str = ""


def worker_command(queue: str | None = None) -> str:
    """Return what starts a worker, of one queue if that is given."""
    listens = "" if queue is None else f" --queues {quote(queue)}"
    return f"taskito worker --app {PROGRAM}{listens}"


def jobs_wait(number: int) -> str:
    """Return ``3 jobs wait``."""
    return f"{counted(number, 'job')} {'wait' if number != 1 else 'waits'}"


def counted(number: int, thing: str) -> str:
    """Return ``3 jobs``."""
    return f"{words.count(number)} {thing}{'' if number == 1 else 's'}"
