"""Why an attempt failed, in parts, so that failures of one kind are found together."""

from taskito._core import Cause
from taskito._frames import frames_of
from taskito._template import template_of

_LONGEST_MESSAGE = 2000
_LONGEST_NAME = 200


def cause_of(error: BaseException) -> Cause | None:
    """Return what puts a failure into its group; ``None`` if code of the exception breaks it.

    Never raises.
    """
    try:
        message = _message(error)
        frames = frames_of(error)
        return Cause(
            _clean(error_type(error)),
            message,
            template=template_of(message),
            location=_clean(frames.location),
            frames=frames.json,
        )
    except Exception:  # noqa: BLE001 - a failure without a group is better than none
        return None


def error_type(error: BaseException) -> str:
    """Return the class with its module, unless that is ``builtins``."""
    cls = type(error)
    name = cls.__qualname__[:_LONGEST_NAME]
    module: object = cls.__module__
    if not isinstance(module, str) or module == "builtins":
        return name
    return f"{module[:_LONGEST_NAME]}.{name}"


def _message(error: BaseException) -> str:
    try:
        return _clean(str(error)[:_LONGEST_MESSAGE])
    except BaseException:  # noqa: BLE001 - code of the task runs here
        return "<str() failed>"


def _clean(text: str) -> str:
    """Return text that UTF-8 can hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
