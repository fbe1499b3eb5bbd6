"""Checks of arguments: what is wrong, with the value, before anything is stored."""

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta
from operator import index
from reprlib import repr as short_repr
from typing import Any, TypeAlias, TypeVar, cast

T = TypeVar("T")

Seconds: TypeAlias = float | timedelta
"""A duration: seconds as a number, or a ``timedelta``."""

_LONGEST_MS = 2**53
_HEADER_BYTES = 8192

# What people used to other queues write, and what it is called here.
_OTHER_NAMES = {
    "backoff": "retry_backoff",
    "countdown": "delay",
    "retries": "max_retries",
    "retry": "max_retries",
    "time_limit": "timeout",
}


def milliseconds(name: str, value: object) -> int:
    """Return a duration in whole milliseconds.

    Raises:
        TypeError: If it is neither a number nor a ``timedelta``.
        ValueError: If it is NaN, infinite or beyond 285,000 years.
    """
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"{name} must be seconds (a number) or a timedelta, got {short_repr(value)}"
        raise TypeError(message)
    if isinstance(value, float) and not math.isfinite(value):
        message = f"{name} must be finite, got {value!r}"
        raise ValueError(message)
    if abs(value) > _LONGEST_MS / 1000 or abs(result := round(value * 1000)) > _LONGEST_MS:
        message = f"{name} is longer than any clock runs, got {short_repr(value)} seconds"
        raise ValueError(message)
    return result


def duration(name: str, value: object) -> int:
    """Return a duration of zero or more in whole milliseconds."""
    result = milliseconds(name, value)
    if result < 0:
        message = f"{name} must not be negative, got {value!r}"
        raise ValueError(message)
    return result


def in_seconds(value: Seconds | None) -> str:
    """Return a duration as people read it in a message, without its unit."""
    return f"{value.total_seconds():g}" if isinstance(value, timedelta) else str(value)


def count(name: str, value: object) -> int:
    """Return an integer of zero or more."""
    return integer(name, value, 0)


def int32(name: str, value: object) -> int:
    """Return an integer of 32 bits with sign."""
    return integer(name, value, -(2**31))


def integer(name: str, value: object, low: int, high: int = 2**31 - 1) -> int:
    """Return an integer between two bounds."""
    if isinstance(value, bool):
        message = f"{name} must be an integer, got {value!r}"
        raise TypeError(message)
    try:
        number = index(value)  # type: ignore[arg-type]  # the point is to find out
    except TypeError:
        message = f"{name} must be an integer, got {short_repr(value)}"
        raise TypeError(message) from None
    if not low <= number <= high:
        message = f"{name} must be between {low} and {high}, got {short_repr(number)}"
        raise ValueError(message)
    return number


def string(name: str, value: object) -> str:
    """Return ``value`` if it is a ``str``."""
    if not isinstance(value, str):
        message = f"{name} must be a str, got {short_repr(value)}"
        raise TypeError(message)
    return value


def storable(what: str, value: object) -> str:
    """Return a ``str`` that can be stored, which half of a surrogate pair cannot."""
    text = string(what, value)
    try:
        text.encode()
    except UnicodeEncodeError:
        message = f"{what} must be text that UTF-8 can hold, got {value!a}"
        raise ValueError(message) from None
    return text


def listed(what: str, value: Iterable[T]) -> list[T]:
    """Return the entries of any iterable."""
    if not isinstance(value, Iterable):
        message = f"{what} must be a sequence, got {short_repr(value)}"
        raise TypeError(message)
    return list(value)


def arguments(value: Iterable[object]) -> tuple[object, ...]:
    """Return positional arguments as a tuple."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, str):
        message = f"args must be a sequence of arguments, got the str {short_repr(value)}"
        raise TypeError(f"{message}\nhint: write ({short_repr(value)},) for a single argument")
    try:
        return tuple(value)
    except TypeError:
        message = f"args must be a sequence of arguments, got {short_repr(value)}"
        raise TypeError(message) from None


def keywords(value: Mapping[str, object] | None) -> dict[str, Any]:
    """Return keyword arguments as a new dict."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        message = f"kwargs must be a mapping of names to arguments, got {short_repr(value)}"
        raise TypeError(message)
    result = dict(value)
    for name in result:
        string("a name in kwargs", name)
    return result


def metadata_text(name: str, value: object) -> str:
    """Return metadata as stored: a ``str`` verbatim, a mapping as compact JSON."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        message = f"{name} must be a str or a mapping, got {short_repr(value)}"
        raise TypeError(message)
    mapping = cast("Mapping[object, object]", value)
    try:
        return compact_json(dict(mapping))
    except (TypeError, ValueError) as error:
        message = f"{name} cannot be stored as JSON, got {short_repr(mapping)}: {error}"
        raise type(error)(message) from error


def header_text(name: str, value: object) -> str:
    """Return headers of at most 8 KiB as a JSON object."""
    if not isinstance(value, Mapping):
        message = f"{name} must be a mapping of str to str, got {short_repr(value)}"
        raise TypeError(message)
    headers = cast("Mapping[object, object]", value)
    result = {
        string("a header name", key): string(f"header {key!r}", text)
        for key, text in headers.items()
    }
    size = sum(len(key.encode()) + len(text.encode()) for key, text in result.items())
    if size > _HEADER_BYTES:
        message = f"{name} must not exceed {_HEADER_BYTES} bytes in all, got {size}"
        raise ValueError(message)
    return compact_json(result)


def parsed_headers(text: str | None) -> dict[str, str]:
    """Return headers from what :func:`header_text` made of them; ``{}`` for none."""
    import json  # noqa: PLC0415 - not needed by most programs

    return cast("dict[str, str]", json.loads(text)) if text else {}


def compact_json(value: object) -> str:
    """Return ``value`` as JSON without blanks, or raise what :mod:`json` raises."""
    import json  # noqa: PLC0415 - not needed by most programs

    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def unknown_option(name: str, valid: Iterable[str], subject: str) -> TypeError:
    """Return the error for an option that does not exist, naming the nearest that does."""
    from difflib import get_close_matches  # noqa: PLC0415 - only to explain a mistake

    names = sorted(valid)
    guess = _OTHER_NAMES.get(name)
    near = [guess] if guess in names else get_close_matches(name, names, n=1)
    question = f"did you mean {near[0]!r}? " if near else ""
    message = f"unknown option {name!r} for {subject}"
    return TypeError(f"{message}\nhint: {question}Options: {', '.join(names)}")
