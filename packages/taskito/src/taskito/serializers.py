"""How arguments and results become bytes, and values again."""

import pickle
from io import BytesIO
from typing import Any, NoReturn, Protocol, runtime_checkable

__all__ = ["CloudpickleSerializer", "JsonSerializer", "Serializer"]

_PROTOCOL = pickle.HIGHEST_PROTOCOL
_REUSED_UP_TO = 65_536


@runtime_checkable
class Serializer(Protocol):
    """Turns values into bytes and back. Used by producers and workers, from any thread.

    Arguments are serialized as the pair ``(args, kwargs)``.
    """

    def dumps(self, obj: Any, /) -> bytes:
        """Return ``obj`` as bytes, or raise any exception if that is impossible."""
        ...

    def loads(self, data: bytes, /) -> Any:
        """Return the value that ``dumps`` was given."""
        ...


class CloudpickleSerializer:
    """The default: pickle for every Python value, lambdas and local classes included.

    Only load what you trust: whoever can write the database can run code in its workers.

    Example:
        >>> serializer = CloudpickleSerializer()
        >>> double = serializer.loads(serializer.dumps(lambda x: 2 * x))
        >>> double(21)
        42
    """

    __slots__ = ("_idle",)

    def __init__(self) -> None:
        """Load nothing; cloudpickle is imported when a value needs it."""
        self._idle: list[_PlainPickler] = []

    def dumps(self, obj: Any, /) -> bytes:
        """Return the pickle of ``obj``.

        Values made of builtin scalars and containers alone take a path several times
        faster than cloudpickle, which writes the same bytes for them.
        """
        # Popping and appending are atomic, and a pickler is never in two hands: this
        # holds for threads, and for a finalizer that serializes while we do.
        try:
            pickler = self._idle.pop()
        except IndexError:
            pickler = _PlainPickler(BytesIO())
        try:
            pickler.dump(obj)
        except Exception:  # noqa: BLE001 - cloudpickle handles it, or says why it cannot
            import cloudpickle  # noqa: PLC0415 - takes longer to load than we do

            pickled: bytes = cloudpickle.dumps(obj, _PROTOCOL)  # pyright: ignore[reportUnknownMemberType]
            return pickled
        data = pickler.buffer.getvalue()
        if len(data) <= _REUSED_UP_TO:
            pickler.clear_memo()
            pickler.buffer.seek(0)
            pickler.buffer.truncate()
            self._idle.append(pickler)
        return data

    def loads(self, data: bytes, /) -> Any:
        """Return the value of a pickle."""
        return pickle.loads(data)  # noqa: S301 - the documented trust model


class JsonSerializer:
    """UTF-8 JSON: readable by anyone and safe to load.

    Tuples come back as lists, and the names in a mapping as ``str``. NaN and infinity
    are refused, as they are not JSON.

    Example:
        >>> JsonSerializer().dumps({"to": ["a@example.com"]})
        b'{"to":["a@example.com"]}'
    """

    __slots__ = ()

    def dumps(self, obj: Any, /) -> bytes:
        """Return ``obj`` as compact JSON."""
        import json  # noqa: PLC0415 - not needed by most programs

        text = json.dumps(obj, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()

    def loads(self, data: bytes, /) -> Any:
        """Return the value of a JSON document."""
        import json  # noqa: PLC0415 - not needed by most programs

        return json.loads(data)


class _NotPlainError(Exception):
    """The value holds a class, a function or an instance."""


class _PlainPickler(pickle.Pickler):
    """Pickles builtin scalars and containers and refuses everything else.

    The C pickler writes those types itself and asks ``reducer_override`` about all others,
    subclasses included. cloudpickle differs from pickle only in what it does there.
    """

    def __init__(self, buffer: BytesIO) -> None:
        super().__init__(buffer, _PROTOCOL)
        self.buffer = buffer

    def reducer_override(self, _obj: Any, /) -> NoReturn:
        raise _NotPlainError
