"""Exceptions of tasks as text: for the job's errors, and for logs."""

import traceback

from taskito._frames import frames_of, user_frames

_LONGEST_ERROR = 65_536
_LONGEST_SUMMARY = 200
# What Python says more about than their message.
_SPECIAL = (SyntaxError, NameError, AttributeError, ImportError, BaseExceptionGroup)


def error_text(error: BaseException) -> str:
    """Return the formatted traceback of ``error`` without the frames of the runner.

    Text over 64 KiB loses its middle; characters that UTF-8 cannot hold are escaped; an
    exception that cannot be formatted is recorded by its class.
    """
    try:
        text = _plain(error) or "".join(
            traceback.format_exception(type(error), error, user_frames(error))
        )
    except BaseException:  # noqa: BLE001 - code of the task runs here: __str__, __notes__
        text = f"{type(error).__name__}: <this exception cannot be formatted>\n"
    data = text.rstrip("\n").encode("utf-8", "backslashreplace")
    if len(data) > _LONGEST_ERROR:
        half = _LONGEST_ERROR // 2 - 50
        gap = f"\n... [{len(data) - 2 * half} bytes left out] ...\n".encode()
        data = data[:half] + gap + data[-half:]
    return data.decode("utf-8", "ignore")


def _plain(error: BaseException) -> str | None:
    """Return what Python writes about an exception without causes, notes and hints.

    The frames are remembered (:func:`taskito._frames.frames_of`), so that is much faster than
    asking Python again and again. ``None`` stands for every other exception.
    """
    context = None if error.__suppress_context__ else error.__context__
    if error.__cause__ or context or isinstance(error, _SPECIAL) or hasattr(error, "__notes__"):
        return None
    frames = frames_of(error).text
    kind = type(error)
    name, module = kind.__qualname__, kind.__module__
    if not frames or not isinstance(module, str):
        return None
    if module not in {"__main__", "builtins"}:
        name = f"{module}.{name}"
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - code of the task runs here
        return None
    line = f"{name}: {message}" if message else name
    return f"Traceback (most recent call last):\n{frames}{line}\n"


def summary(error: BaseException) -> str:
    """Return the exception on one line, safe for any log."""
    try:
        message = str(error)
    except BaseException:  # noqa: BLE001 - code of the task runs here
        message = "<str() failed>"
    line = f"{type(error).__name__}: {message}"[:_LONGEST_SUMMARY]
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
