"""Whether arguments fit a function, decided in a fraction of a microsecond."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

_REMEMBERED_SHAPES = 256


class Binding:
    """The signature of one task function.

    Whether a call binds depends only on how many positional arguments it has and on the
    names of the others. Each shape is tried once with :mod:`inspect` and remembered.
    """

    __slots__ = ("_function", "_name", "_shapes", "_signature")

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        """Remember the function; its signature is read at the first check."""
        self._name = name
        self._function = function
        self._signature: inspect.Signature | None = None
        self._shapes: set[object] = set()

    def check(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        """Raise ``TypeError`` unless ``function(*args, **kwargs)`` would bind."""
        shape: object = (len(args), *kwargs) if kwargs else len(args)
        if shape not in self._shapes:
            self._try(args, kwargs)
            if len(self._shapes) < _REMEMBERED_SHAPES:
                self._shapes.add(shape)

    def _try(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> None:
        if self._signature is None:
            try:
                self._signature = inspect.signature(self._function, follow_wrapped=False)
            except ValueError:  # some C functions have none; the call itself will tell
                return
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            message = f"these arguments do not fit {self._name!r}: {error}"
            raise TypeError(f"{message}\nhint: it takes ({self._parameters()})") from None

    def _parameters(self) -> str:
        signature = inspect.signature(self._function, follow_wrapped=False)
        plain = [
            p.replace(
                annotation=p.empty,
                default=p.empty if p.default is p.empty else _ELLIPSIS,
            )
            for p in signature.parameters.values()
        ]
        return str(inspect.Signature(plain))[1:-1]


class _Ellipsis:
    """Stands for a default value, whose own repr may be long or fail."""

    def __repr__(self) -> str:
        return "..."


_ELLIPSIS = _Ellipsis()
