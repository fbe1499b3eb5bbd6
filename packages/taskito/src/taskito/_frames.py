"""A traceback as data: which frames, and which of them are the user's own code."""

import json
import linecache
import os
import traceback as tracebacks
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import CodeType, TracebackType

OWN_MODULES = {
    "taskito._runner",
    "taskito._attempt",
    "taskito._payloads",
    "taskito.contrib.django._tasks",
    "taskito.testing._trial",
}
_OUTERMOST = 10
_INNERMOST = 30
_LONGEST_TEXT = 200
_MOST_BYTES = 32_768
_LONGEST_KNOWN = 50
_MOST_KNOWN = 200
_STDLIB = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120 - pathlib is slow to load
_PACKAGES = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


_known: "dict[tuple[tuple[int, int, str], ...], tuple[Frames, list[CodeType]]]" = {}


class Frames:
    """The frames of a traceback, as text and as data.

    Attributes:
        location: ``module:function`` of the innermost frame of the user, else of any; empty
            without frames.
        text: What Python writes about all of the frames, without the line above them.
        json: A list of at most 32 KiB, outermost frame first and without those of the runner.
            Each is ``{"file", "line", "function", "code", "library"}``, or ``{"omitted": n}``
            where frames in the middle were left out. ``code`` is the line without its
            indentation, empty if the source is not there; ``library`` says that the code is not
            the user's.
    """

    def __init__(self, traceback: "TracebackType | None") -> None:
        """Read what is needed; the traceback itself is not kept."""
        self.text = "".join(tracebacks.format_tb(traceback))
        entries = [one for one in _each(traceback) if _module(one) not in OWN_MODULES]
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

    @cached_property
    def json(self) -> str:
        """Return the frames as data."""
        entries = self._entries
        while len(text := _dumped(entries)) > _MOST_BYTES:
            entries = _shorter(entries)
        return text.decode()


def frames_of(error: BaseException) -> Frames:
    """Return the frames of an exception, from the first on that is not the library's.

    What failed in the same way before is remembered: formatting one traceback takes longer than
    running many jobs.
    """
    traceback = user_frames(error)
    entries = list(_each(traceback))
    if len(entries) > _LONGEST_KNOWN:
        return Frames(traceback)
    key = tuple([(id(one.tb_frame.f_code), one.tb_lasti, _module(one)) for one in entries])
    known = _known.get(key)
    if known is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        # The code is kept along, so that no other gets its number.
        codes = [one.tb_frame.f_code for one in entries]
        known = _known[key] = (Frames(traceback), codes)
    return known[0]


def user_frames(error: BaseException) -> "TracebackType | None":
    """Return the traceback of ``error`` from the first frame that is not the library's."""
    frames = error.__traceback__
    while frames is not None and _module(frames) in OWN_MODULES:
        frames = frames.tb_next
    return frames


def _each(traceback: "TracebackType | None") -> "Iterator[TracebackType]":
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


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
