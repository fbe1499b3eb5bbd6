"""A traceback as data: which frames, and which of them are the user's own code."""

import json
import linecache
import os
from typing import TYPE_CHECKING, Any

from taskito._failures import OWN_MODULES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_OUTERMOST = 10
_INNERMOST = 30
_LONGEST_TEXT = 200
_MOST_BYTES = 32_768
_STDLIB = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - pathlib is slow to load
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


class Frames:
    """The frames of a traceback, without those of the runner.

    Attributes:
        location: ``module:function`` of the innermost frame of the user, else of any; empty
            without frames.
    """

    __slots__ = ("_entries", "location")

    def __init__(self, traceback: "TracebackType | None") -> None:
        """Read what is needed; the traceback itself is not kept."""
        entries: list[TracebackType] = []
        while traceback is not None:
            if _module(traceback) not in OWN_MODULES:
                entries.append(traceback)
            traceback = traceback.tb_next
        users = (entry for entry in reversed(entries) if not _is_library(entry))
        innermost = next(users, entries[-1] if entries else None)
        self.location = "" if innermost is None else _location(innermost)
        if len(entries) <= _OUTERMOST + _INNERMOST:
            self._entries: list[dict[str, Any]] = [_entry(one) for one in entries]
            return
        left_out = len(entries) - _OUTERMOST - _INNERMOST
        self._entries = [_entry(one) for one in entries[:_OUTERMOST]]
        self._entries.append({"omitted": left_out})
        self._entries += [_entry(one) for one in entries[-_INNERMOST:]]

    def to_json(self) -> str:
        """Return a list of at most 32 KiB, outermost frame first.

        Each is ``{"file", "line", "function", "code", "library"}``, or ``{"omitted": n}`` where
        frames in the middle were left out. ``code`` is the line without its indentation, empty
        if the source is not there; ``library`` says that the code is not the user's.
        """
        entries = self._entries
        while len(text := _dumped(entries)) > _MOST_BYTES:
            entries = _shorter(entries)
        return text.decode()


def _dumped(entries: "Sequence[dict[str, Any]]") -> bytes:
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def _shorter(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the frames without those in the middle third."""
    first, last = len(entries) // 3, len(entries) - len(entries) // 3
    omitted = sum(entry.get("omitted", 1) for entry in entries[first:last])
    return [*entries[:first], {"omitted": omitted}, *entries[last:]]


def _entry(traceback: "TracebackType") -> dict[str, Any]:
    code = traceback.tb_frame.f_code
    line = linecache.getline(
        code.co_filename, traceback.tb_lineno, traceback.tb_frame.f_globals
    ).strip()
    return {
        "file": _short(code.co_filename)[-_LONGEST_TEXT:],
        "line": traceback.tb_lineno,
        "function": code.co_qualname[-_LONGEST_TEXT:],
        "code": line[:_LONGEST_TEXT],
        "library": _is_library(traceback),
    }


def _short(file: str) -> str:
    """Return the name of a file from the working directory or the installed package on."""
    for packages in _PACKAGES:
        if packages in file:
            return file.rpartition(packages)[2]
    if file.startswith(_STDLIB):
        return file.removeprefix(_STDLIB)
    try:
        return file.removeprefix(os.getcwd() + os.sep)  # noqa: PTH109 - see above
    except OSError:  # the directory is gone
        return file


def _is_library(traceback: "TracebackType") -> bool:
    file = traceback.tb_frame.f_code.co_filename
    if file.startswith((_STDLIB, "<frozen ")) or any(name in file for name in _PACKAGES):
        return True
    module = _module(traceback)
    return module == "taskito" or module.startswith("taskito.")


def _location(traceback: "TracebackType") -> str:
    function = traceback.tb_frame.f_code.co_qualname
    return f"{_module(traceback)[-_LONGEST_TEXT:]}:{function[-_LONGEST_TEXT:]}"


def _module(traceback: "TracebackType") -> str:
    name = traceback.tb_frame.f_globals.get("__name__")
    return name if isinstance(name, str) else ""
