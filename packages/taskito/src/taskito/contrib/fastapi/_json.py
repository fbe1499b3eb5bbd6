"""Results as JSON, whatever tasks return."""

import math
from typing import Any, cast

_DEEPEST = 100
_LONGEST_INT = 14_000  # bits; Python refuses to write much longer ones as decimals


def json_safe(value: object, depth: int = 0) -> Any:
    """Return what JSON can hold of a value.

    ``None``, ``str``, ``int``, ``float`` and ``bool`` stay, lists and tuples become lists,
    dicts keep their order with ``str`` keys; anything else becomes ``str(value)``. So do NaN
    and infinity, which JSON has not, what is nested deeper than 100 levels, and integers of more
    than 4,000 digits.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and value.bit_length() > _LONGEST_INT:
        return _text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth < _DEEPEST:
        if isinstance(value, list | tuple):
            items = cast("list[object] | tuple[object, ...]", value)
            return [json_safe(item, depth + 1) for item in items]
        if isinstance(value, dict):
            pairs = cast("dict[object, object]", value)
            return {_text(key): json_safe(item, depth + 1) for key, item in pairs.items()}
    return _text(value)


def _text(value: object) -> str:
    try:
        text = str(value)
    except Exception:  # noqa: BLE001 - code of the application
        text = f"<{type(value).__name__} that cannot be shown>"
    return text.encode("utf-8", "backslashreplace").decode()
