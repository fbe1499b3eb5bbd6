"""Values as they are written in the fields of a form, and back. Pure.

What is written is exact: reading it gives the value that was written, of the same type.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Literal, TypeAlias, cast

Kind: TypeAlias = Literal["text", "whole", "number", "choice", "json"]
"""``text`` is written as it is, numbers in digits, a ``choice`` as one of several."""
Choices: TypeAlias = Mapping[str, Any]
"""What can be chosen, by how it is written."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,1000}")
_MOST_BITS = 3000
_DEEPEST = 50
_LONGEST = 120


def written(kind: Kind, value: object, choices: Choices) -> str | None:
    """Return how a value is written; ``None`` if it cannot be."""
    if kind == "choice":
        return _as_choice(value, choices)
    return _WRITERS[kind](value)


def read(kind: Kind, text: str, choices: Choices) -> object:
    """Return the value of a text.

    Raises:
        ValueError: With what is wrong, and after a line break what to write.
    """
    if kind == "choice":
        if text not in choices:
            raise ValueError(f"is {cut(text)!r}\nchoose one of {cut(', '.join(choices))}")
        return choices[text]
    return _READERS[kind](text)


def repr_of(value: object) -> str:
    """Return how a value reads as code, whatever it does when it is looked at."""
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - code of the application runs here
        return f"<{type(value).__name__}>"


def cut(text: str) -> str:
    """Return a text that is not too long for a sentence."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _as_choice(value: object, choices: Choices) -> str | None:
    for text, choice in choices.items():
        # Serializers may know the value of a member alone.
        for same in (choice, choice.value) if isinstance(choice, Enum) else (choice,):
            if type(same) is type(value) and same == value:
                return text
    return None


def _as_text(value: object) -> str | None:
    if type(value) is not str:
        return None
    is_kept = all(letter.isprintable() or letter in "\n\t" for letter in value)
    return value if is_kept else None


def _as_whole(value: object) -> str | None:
    return str(value) if type(value) is int and value.bit_length() < _MOST_BITS else None


def _as_number(value: object) -> str | None:
    return repr(value) if type(value) is float and math.isfinite(value) else None


def _as_json(value: object) -> str | None:
    if not _is_json(value):
        return None
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def _is_json(value: object, depth: int = 0) -> bool:
    """Tell whether JSON gives back exactly this value."""
    if value is None or type(value) in {bool, str}:
        return True
    if type(value) in {int, float}:
        return (_as_whole(value) or _as_number(value)) is not None
    if depth == _DEEPEST:
        return False
    if type(value) is list:
        return all(_is_json(entry, depth + 1) for entry in cast("list[object]", value))
    if type(value) is dict:
        entries = cast("dict[object, object]", value).items()
        return all(type(key) is str and _is_json(entry, depth + 1) for key, entry in entries)
    return False


def _text(text: str) -> object:
    return text


def _whole(text: str) -> object:
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"is {cut(text)!r}\nwrite a whole number")
    return int(text)


def _number(text: str) -> object:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"is {cut(text)!r}\nwrite a number like 0.5")
    return number


def _json(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        hint = 'write JSON: 1, "text", true, null, [1, 2], {"a": 1}'
        raise ValueError(f"is no JSON: {cut(str(error))}\n{hint}") from None


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no value of it")


_WRITERS: Mapping[Kind, Callable[[object], str | None]] = {
    "text": _as_text,
    "whole": _as_whole,
    "number": _as_number,
    "json": _as_json,
}
_READERS: Mapping[Kind, Callable[[str], object]] = {
    "text": _text,
    "whole": _whole,
    "number": _number,
    "json": _json,
}
