"""Values as trees to unfold: of previews, which are never decoded, and of JSON."""

import ast
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskito._previews import HIDDEN

_DEEPEST = 8
_SHORT = 60
"""What is no longer than that stands in one line."""
_STAND_IN = "_0hidden0_"
_HIDDEN = re.compile(re.escape(HIDDEN))


@dataclass(frozen=True, slots=True)
class Node:
    """A value.

    Attributes:
        name: Its key, index, or the name of the argument.
        text: The value, or what kind it is if it has parts.
        parts: What it consists of.
    """

    name: str
    text: str
    parts: "tuple[Node, ...]" = ()


def of_call(preview: str) -> tuple[Node, ...] | None:
    """Return the arguments that a preview shows; ``None`` if it is cut or shows other objects."""
    call = _parsed(f"f({preview})")
    if not isinstance(call, ast.Call):
        return None
    return _arguments(call, 0)


def of_literal(preview: str) -> tuple[Node, ...] | None:
    """Return the parts of a value that a preview shows; ``None`` if it has none, or is cut."""
    value = _parsed(preview)
    return None if value is None else _node("", value, 0).parts or None


def of_json(text: str | None) -> tuple[Node, ...] | None:
    """Return the parts of a JSON array or object; ``None`` for anything else."""
    try:
        value = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return _plain("", value, 0).parts or None


def _parsed(text: str) -> ast.expr | None:
    try:
        # What is hidden is no Python; a name can stand for it, inside of texts as well.
        return ast.parse(_HIDDEN.sub(_STAND_IN, text), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _node(name: str, value: ast.expr, depth: int) -> Node:
    text = ast.unparse(value).replace(_STAND_IN, HIDDEN)
    if depth >= _DEEPEST:
        return Node(name, text)
    match value:
        case ast.Dict(keys=keys, values=values):
            named = [(_word(key), part) for key, part in zip(keys, values, strict=True)]
            return _whole(name, text, "{…}", named, depth)
        case ast.List(elts=parts) | ast.Set(elts=parts):
            return _whole(name, text, "[…]", _numbered(parts), depth)
        case ast.Tuple(elts=parts):
            return _whole(name, text, "(…)", _numbered(parts), depth)
        case ast.Call(func=ast.Name() | ast.Attribute()) if len(text) > _SHORT:
            kind = ast.unparse(value.func)
            return Node(name, f"{kind}(…)", _arguments(value, depth + 1))
    return Node(name, text)


def _arguments(call: ast.Call, depth: int) -> tuple[Node, ...]:
    by_place = [_node(str(place), part, depth) for place, part in enumerate(call.args)]
    by_name = [_node(word.arg or "**", word.value, depth) for word in call.keywords]
    return (*by_place, *by_name)


def _whole(
    name: str, text: str, kind: str, named: Iterable[tuple[str, ast.expr]], depth: int
) -> Node:
    parts = tuple(_node(key, part, depth + 1) for key, part in named)
    return Node(name, _counted(kind, parts), parts) if parts else Node(name, text)


def _numbered(parts: Sequence[ast.expr]) -> list[tuple[str, ast.expr]]:
    return [(str(place), part) for place, part in enumerate(parts)]


def _word(key: ast.expr | None) -> str:
    if key is None:
        return "**"
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value.replace(_STAND_IN, HIDDEN)
    return ast.unparse(key).replace(_STAND_IN, HIDDEN)


def _plain(name: str, value: object, depth: int) -> Node:
    """Return a value of JSON."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        members: Mapping[str, Any] = value
        parts = tuple(_plain(key, part, depth + 1) for key, part in members.items())
        return Node(name, _counted("{…}", parts) if parts else "{}", parts)
    if isinstance(value, list) and depth < _DEEPEST:
        each: list[Any] = value
        parts = tuple(_plain(str(place), part, depth + 1) for place, part in enumerate(each))
        return Node(name, _counted("[…]", parts) if parts else "[]", parts)
    return Node(name, json.dumps(value, ensure_ascii=False))


def _counted(kind: str, parts: Sequence[Node]) -> str:
    return f"{kind} {len(parts)}"
