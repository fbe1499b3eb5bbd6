"""Why a request is not answered as asked."""

import traceback
from types import FrameType

from taskito._errors import TooBroadError
from taskito.exceptions import (
    JobNotFoundError,
    QueueClosedError,
    ScheduleNotFoundError,
    StorageError,
    TaskitoError,
)

_LIKELY = (
    "see that the path is a file of this machine that this user may read and write, "
    "and that its disk is not full"
)


class Refused(Exception):  # noqa: N818 - an answer, not a defect
    """A request gets another answer than the one it asked for.

    Attributes:
        status: The HTTP status.
        error: What is wrong, with the value.
        hint: What to do about it, or ``None``.
        headers: What the answer carries besides.
        kind: What the engine calls it; empty if it is not from there.
    """

    kind = ""

    def __init__(self, status: int, error: str, hint: str | None = None, **headers: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.hint = hint
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class TooBroad(Refused):
    """A question would take too long, so it was given up; a narrower one may be answered."""


def not_found(what: str, hint: str | None = None) -> Refused:
    """Return what is raised for a row that is not there."""
    return Refused(404, what, hint)


def translated(error: Exception) -> Refused | None:
    """Return what an exception of the library means to a client, ``None`` for a defect."""
    text, _, in_text = str(error.args[0] if error.args else "").partition("\nhint: ")
    hint = getattr(error, "hint", None) or in_text or None
    if isinstance(error, JobNotFoundError | ScheduleNotFoundError):
        return Refused(404, text, hint)
    if isinstance(error, TooBroadError):
        return TooBroad(400, text, hint)
    if isinstance(error, StorageError | QueueClosedError):
        refusal = Refused(503, text, hint or _LIKELY)
        # Public errors hide where they come from in tracebacks; it is known all the same.
        refusal.kind = str(getattr(error.__context__, "kind", ""))
        return refusal
    if isinstance(error, ValueError | TypeError) and _is_of_library(error):
        return Refused(400, text, hint)
    if isinstance(error, TaskitoError):
        return Refused(500, text, hint)
    return None


def _is_of_library(error: Exception) -> bool:
    """Return whether the library refused an argument; else the defect is ours."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(_module(frame).partition(".")[0] == "taskito" for frame, _ in frames)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
