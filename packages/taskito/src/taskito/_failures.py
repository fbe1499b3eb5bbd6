"""Exceptions of tasks as text: for the job's errors, and for logs."""

import traceback
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

_LONGEST_ERROR = 65_536
_LONGEST_SUMMARY = 200
OWN_MODULES = {
    "taskito._runner",
    "taskito._attempt",
    "taskito._payloads",
    "taskito.contrib.django._tasks",
    "taskito.testing._trial",
}


def error_text(error: BaseException) -> str:
    """Return the formatted traceback of ``error`` without the frames of the runner.

    Text over 64 KiB loses its middle; characters that UTF-8 cannot hold are escaped; an
    exception that cannot be formatted is recorded by its class.
    """
    try:
        text = "".join(traceback.format_exception(type(error), error, user_frames(error)))
    except BaseException:  # noqa: BLE001 - code of the task runs here: __str__, __notes__
        text = f"{type(error).__name__}: <this exception cannot be formatted>\n"
    data = text.rstrip("\n").encode("utf-8", "backslashreplace")
    if len(data) > _LONGEST_ERROR:
        half = _LONGEST_ERROR // 2 - 50
        gap = f"\n... [{len(data) - 2 * half} bytes left out] ...\n".encode()
        data = data[:half] + gap + data[-half:]
    return data.decode("utf-8", "ignore")


def user_frames(error: BaseException) -> "TracebackType | None":
    """Return the traceback of ``error`` from the first frame that is not the library's."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__name__") in OWN_MODULES:
        frames = frames.tb_next
    return frames


def summary(error: BaseException) -> str:
    """Return the exception on one line, safe for any log."""
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - code of the task runs here
        message = "<str() failed>"
    line = f"{type(error).__name__}: {message}"[:_LONGEST_SUMMARY]
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
