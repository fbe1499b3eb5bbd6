"""Arguments and results as people read them: short, without secrets, made once by whoever has them.

Every enqueued job passes here, so what most jobs have takes a short way to the same text. Long
because what is hidden and what is shown is decided here, and only here.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from taskito.task import TaskWrapper

Redaction: TypeAlias = "str | Callable[[str], str]"
"""The name of something secret, or a function that takes secrets out of a preview."""

SECRETS = ("password", "passwd", "secret", "token", "api_key", "authorization", "cookie")
"""What is never shown."""

HIDDEN = "***"
_LONGEST = 1000
_SURELY_SHORT = 250  # characters: no more than 1,000 bytes, whatever they are
_LONGEST_TEXT = 200
_MOST_BYTES = 60
_DEEPEST = 5
_MOST_NAMES = 10_000
_PLAIN: frozenset[type] = frozenset({int, float, bool, type(None)})
_SIMPLE = _PLAIN | {str}
_FEW_BYTES = 400  # of a payload: its text is not long, and no string in it is
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("{", "}"),
}
_FAMILIAR = frozenset({"datetime", "decimal", "fractions", "pathlib", "uuid", "ipaddress"})
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


class Previews:
    """Writes previews for one Queue.

    A name is secret if its words contain those of a secret in a row, or their plural:
    ``access_token`` and ``apiKeys`` are, ``tokenizer`` is not. Objects of classes that are not
    known show their class alone; dataclasses and named tuples show their fields.
    """

    __slots__ = (
        "_enabled",
        "_forms",
        "_masks",
        "_open_tasks",
        "_secret",
        "_secrets",
        "_tasks",
        "empty",
    )

    def __init__(
        self,
        redact: Iterable[Redaction],
        tasks: "Mapping[str, TaskWrapper[..., Any]]",
        *,
        enabled: bool = True,
    ) -> None:
        """Hide what ``redact`` says besides :data:`SECRETS`.

        Args:
            redact: Names and functions, checked here.
            tasks: Tasks by name, live: their parameters name positional arguments.
            enabled: Whether there are previews at all.
        """
        given = checked(redact)
        self._masks = tuple(item for item in given if not isinstance(item, str))
        names = (*SECRETS, *(item for item in given if isinstance(item, str)))
        self._secrets = re.compile("|".join(dict.fromkeys(map(_pattern, names))))
        self._secret: dict[str, bool] = {}
        self._tasks = tasks
        self._enabled = enabled
        self.empty = "" if enabled else None
        # What is known to have nothing to hide; nobody is in there while functions may hide more.
        self._open_tasks: set[str] = set()
        # How calls of such tasks read that name some arguments, none of them secret: by how many
        # come before, and the names.
        self._forms: dict[tuple[int | str, ...], str] = {}

    def forget(self, task: str) -> None:
        """Look at the parameters of a task anew: it was registered again."""
        self._open_tasks.discard(task)

    def arguments(
        self,
        task: str,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        size: int = _FEW_BYTES,
        *,
        takes_results: bool = False,
    ) -> str | None:
        """Return what stands between the parentheses of a call, at most 1,000 bytes.

        ``None`` without previews, or if an argument breaks them. ``size`` is that of the serialized
        arguments, if it is known. ``takes_results`` says that results of other jobs go in front of
        ``args``.
        """
        try:
            if task in self._open_tasks and size < _FEW_BYTES and not takes_results:
                text: str | None = None
                if kwargs:
                    form = self._forms.get((len(args), *kwargs))
                    values = (*args, *kwargs.values())
                    if form is not None and _SIMPLE.issuperset(map(type, values)):
                        text = form % values
                elif len(args) == 1:  # as a tuple it is "(1,)"
                    if type(args[0]) in _SIMPLE:
                        text = f"{args[0]!r}"
                elif _SIMPLE.issuperset(map(type, args)):
                    text = repr(args)[1:-1]
                if text is not None and len(text) <= _LONGEST_TEXT:
                    return text
            return self._slowly(task, args, kwargs, takes_results=takes_results)
        except Exception:  # noqa: BLE001 - arguments may be anything; without a preview it goes on
            return None

    def _slowly(
        self,
        task: str,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        *,
        takes_results: bool,
    ) -> str | None:
        if not self._enabled:
            return None
        parts = [self._text(value, 0) for value in args]
        for place in self._secret_places(task):
            if 0 <= place - takes_results < len(parts):
                parts[place - takes_results] = HIDDEN
        if takes_results:
            parts.insert(0, "…")
        for name, value in kwargs.items():
            parts.append(f"{name}={HIDDEN if self._is_secret(name) else self._text(value, 0)}")
        if kwargs and task in self._open_tasks:
            self._learn(len(args), tuple(kwargs))
        return self._finished(", ".join(parts))

    def _learn(self, places: int, names: tuple[str, ...]) -> None:
        """Remember how calls with these names read, if none of them is secret."""
        key: tuple[int | str, ...] = (places, *names)
        if key in self._forms or len(self._forms) >= _MOST_NAMES:
            return
        if all(name.isascii() and not self._is_secret(name) for name in names):
            named = [f"{name.replace('%', '%%')}=%r" for name in names]
            self._forms[key] = ", ".join(["%r"] * places + named)

    def result(self, value: object) -> str | None:
        """Return a result as text of at most 1,000 bytes; ``None`` as for :meth:`arguments`.

        So it is for ``None``, which needs no preview.
        """
        if value is None or not self._enabled:
            return None
        try:
            if not self._masks and (
                type(value) in _PLAIN or (type(value) is str and len(value) <= _LONGEST_TEXT)
            ):
                text = f"{value!r}"
                if len(text) <= _SURELY_SHORT:
                    return text
            return self._finished(self._text(value, 0))
        except Exception:  # noqa: BLE001 - likewise
            return None

    def _finished(self, text: str) -> str:
        for mask in self._masks:
            text = mask(text)
        if len(text) <= _SURELY_SHORT and text.isascii():
            return text
        data = text.encode("utf-8", "backslashreplace")
        if len(data) > _LONGEST:
            return data[: _LONGEST - 3].decode("utf-8", "ignore") + "…"
        return data.decode()

    def _text(self, value: object, depth: int) -> str:
        kind = type(value)
        write = _WRITERS.get(kind)
        if write is not None:
            return write(value)
        if depth == _DEEPEST:
            return "…"
        if kind in _BRACKETS:
            return self._items(cast("Collection[object]", value), kind, depth)
        if kind is dict:
            return self._dict(cast("dict[object, object]", value), depth)
        return self._object(value, kind, depth)

    def _items(self, values: Collection[object], kind: type, depth: int) -> str:
        first, last = _BRACKETS[kind]
        if kind is tuple and len(values) == 1:
            last = ",)"
        return f"{first}{_joined(self._text(value, depth + 1) for value in values)}{last}"

    def _dict(self, value: dict[object, object], depth: int) -> str:
        def pairs() -> Iterable[str]:
            for key, item in value.items():
                hidden = isinstance(key, str) and self._is_secret(key)
                text = HIDDEN if hidden else self._text(item, depth + 1)
                yield f"{self._text(key, depth + 1)}: {text}"

        return f"{{{_joined(pairs())}}}"

    def _object(self, value: object, kind: type, depth: int) -> str:
        if kind.__module__ in _FAMILIAR:
            return repr(value)[:_LONGEST_TEXT]
        if type(kind).__module__ == "enum":
            return f"{kind.__qualname__}.{getattr(value, 'name', '?')}"
        names = _field_names(kind)
        if names is None:
            return f"<{kind.__qualname__}>"

        def fields() -> Iterable[str]:
            for name in names:
                hidden = self._is_secret(name)
                yield f"{name}={HIDDEN if hidden else self._text(getattr(value, name), depth + 1)}"

        return f"{kind.__qualname__}({_joined(fields())})"

    def _is_secret(self, name: str) -> bool:
        found = self._secret.get(name)
        if found is None:
            found = self._secrets.search(_spelled(name)) is not None
            if len(self._secret) < _MOST_NAMES:
                self._secret[name] = found
        return found

    def _secret_places(self, task: str) -> frozenset[int]:
        """Return which positional arguments of a task have secret names."""
        registered = self._tasks.get(task)
        function = None if registered is None else registered.definition.function
        found = frozenset(
            place
            for names in _parameters(function)
            for place, name in enumerate(names)
            if self._is_secret(name)
        )
        if not found and not self._masks and self._enabled and len(self._open_tasks) < _MOST_NAMES:
            self._open_tasks.add(task)
            if self._tasks.get(task) is not registered:  # meanwhile it was registered again
                self._open_tasks.discard(task)
        return found


def checked(redact: object) -> tuple[Redaction, ...]:
    """Return what is to be hidden, checked.

    Raises:
        TypeError: For what is neither a name nor a function.
        ValueError: For a name without a letter or digit.
    """
    if isinstance(redact, str) or not isinstance(redact, Iterable):
        message = f"redact must be a list of names and functions, got {short_repr(redact)}"
        raise TypeError(message)
    given: tuple[Any, ...] = tuple(redact)
    for item in given:
        if isinstance(item, str):
            if not _WORDS.search(item):
                message = f"redact has a name without a letter: {item!r}"
                raise ValueError(message)
        elif not callable(item):
            message = f"redact must hold names and functions, got {short_repr(item)}"
            raise TypeError(message)
    return given


def _spelled(name: str) -> str:
    """Return the words of a name, each between underscores: ``apiKey`` gives ``_api_key_``."""
    return f"_{'_'.join(_WORDS.findall(name)).lower()}_"


def _pattern(name: str) -> str:
    """Return what finds a name in one that is spelled: its words, run together, as a plural."""
    return f"_{'_?'.join(map(re.escape, _WORDS.findall(name.lower())))}s?_"


def _string(value: str) -> str:
    return repr(value) if len(value) <= _LONGEST_TEXT else f"{value[:_LONGEST_TEXT]!r}…"


def _bytes(value: bytes) -> str:
    return repr(value) if len(value) <= _MOST_BYTES else f"{value[:_MOST_BYTES]!r}…"


def _joined(parts: Iterable[str]) -> str:
    """Return the parts until they are longer than any preview."""
    taken: list[str] = []
    size = 0
    for part in parts:
        if size > _LONGEST:
            taken.append("…")
            break
        taken.append(part)
        size += len(part) + 2
    return ", ".join(taken)


def _field_names(kind: type) -> tuple[str, ...] | None:
    fields = kind.__dict__.get("__dataclass_fields__")
    if isinstance(fields, dict):
        shown = cast("dict[str, Any]", fields).items()
        return tuple(name for name, field in shown if field.repr)
    if issubclass(kind, tuple):
        return cast("tuple[str, ...] | None", getattr(kind, "_fields", None))
    return None


def _parameters(function: object) -> Iterable[tuple[str, ...]]:
    """Give the positional parameters of a function, and of those that it wraps."""
    for _ in range(_DEEPEST):
        code = getattr(function, "__code__", None)
        if code is not None:
            first = getattr(function, "__self__", None) is not None
            yield code.co_varnames[first : code.co_argcount]
        function = getattr(function, "__wrapped__", None)
        if function is None:
            return


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: _string,
    bytes: _bytes,
    **dict.fromkeys(_PLAIN, repr),
}
