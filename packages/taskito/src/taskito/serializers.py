"""How arguments and results become bytes, and values again."""

import pickle
import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, NoReturn, Protocol, runtime_checkable

from taskito.exceptions import SignatureError

__all__ = [
    "CloudpickleSerializer",
    "JsonSerializer",
    "OrjsonSerializer",
    "Serializer",
    "SignedSerializer",
]

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
        data = self._plain(obj)
        if data is not None:
            return data
        import cloudpickle  # noqa: PLC0415 - takes longer to load than we do

        pickled: bytes = cloudpickle.dumps(obj, _PROTOCOL)  # pyright: ignore[reportUnknownMemberType]
        return pickled

    def loads(self, data: bytes, /) -> Any:
        """Return the value of a pickle."""
        return pickle.loads(data)  # noqa: S301 - the documented trust model

    def _plain(self, obj: object) -> bytes | None:
        """Return the pickle of a plain value; ``None`` for others, which may have none."""
        # Popping and appending are atomic, and a pickler is never in two hands: this
        # holds for threads, and for a finalizer that serializes while we do.
        try:
            pickler = self._idle.pop()
        except IndexError:
            pickler = _PlainPickler(BytesIO())
        try:
            pickler.dump(obj)
        except Exception:  # noqa: BLE001 - cloudpickle handles it, or says why it cannot
            return None
        data = pickler.buffer.getvalue()
        if len(data) <= _REUSED_UP_TO:
            pickler.clear_memo()
            pickler.buffer.seek(0)
            pickler.buffer.truncate()
            self._idle.append(pickler)
        return data


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
        return _json(obj)

    def loads(self, data: bytes, /) -> Any:
        """Return the value of a JSON document."""
        import json  # noqa: PLC0415 - not needed by most programs

        return json.loads(data)


class OrjsonSerializer:
    """What :class:`JsonSerializer` does, several times faster.

    Each reads what the other wrote, so a Queue may change from one to the other with jobs
    stored. NaN, infinity, dates and dataclasses are refused likewise; only a ``UUID`` and
    the members of any ``Enum`` are accepted beyond that, as text and as their values.

    Raises:
        ImportError: If the extra ``orjson`` is not installed.

    Example:
        >>> OrjsonSerializer().dumps({"to": ["a@example.com"]})
        b'{"to":["a@example.com"]}'
    """

    __slots__ = ("_fast_dumps", "_fast_loads", "_options")

    def __init__(self) -> None:
        """Load orjson."""
        try:
            import orjson  # noqa: PLC0415 - an extra
        except ImportError as error:
            message = (
                "OrjsonSerializer needs orjson, which is not installed\n"
                "hint: pip install 'taskito[orjson]'"
            )
            raise ImportError(message, name="orjson") from error
        self._fast_dumps = orjson.dumps
        self._fast_loads = orjson.loads
        self._options = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME

    def dumps(self, obj: Any, /) -> bytes:
        """Return ``obj`` as compact JSON."""
        try:
            data = self._fast_dumps(obj, None, self._options)
        except TypeError:  # it handles less than json: large integers, other keys than str
            return _json(obj, _enum_or_uuid)
        if b"null" in data and obj is not None:  # it writes NaN as null: json tells them apart
            return _json(obj, _enum_or_uuid)
        return data

    def loads(self, data: bytes, /) -> Any:
        """Return the value of a JSON document."""
        if not _LARGE_NUMBER.search(data):  # it reads integers over 64 bits as floats
            try:
                return self._fast_loads(data)
            except ValueError:  # such as a surrogate that has no partner
                pass
        import json  # noqa: PLC0415 - not needed by most programs

        return json.loads(data)


class SignedSerializer:
    """Adds a signature to what another serializer writes, and loads only what has one.

    With pickle inside, whoever can write the database can run code in its workers. With a
    key that only your programs know, such a writer can no longer make up arguments or
    results. They are still readable, and a stored payload can still be deleted, repeated
    or moved to another job.

    Stored is an HMAC-SHA256 of 32 bytes over the payload, then the payload.

    Args:
        inner: Makes the payload.
        key: Signs and verifies; at least 16 bytes, a ``str`` counts in UTF-8.
        previous_keys: Verify too, so that a key can be replaced while jobs signed with it
            are stored.

    Raises:
        TypeError: If ``inner`` lacks ``dumps`` or ``loads``, or a key is neither ``bytes``
            nor ``str``.
        ValueError: If a key is shorter than 16 bytes.

    Example:
        >>> serializer = SignedSerializer(JsonSerializer(), "a key of many random bytes")
        >>> serializer.loads(serializer.dumps([1, 2]))
        [1, 2]
    """

    __slots__ = ("_digest", "_inner", "_keys", "_same")

    def __init__(
        self, inner: Serializer, key: bytes | str, *, previous_keys: Iterable[bytes | str] = ()
    ) -> None:
        """Check the keys and keep them."""
        import hmac  # noqa: PLC0415 - not needed by most programs

        if not isinstance(inner, Serializer):
            raise TypeError(f"inner must have dumps and loads, got {inner!r}")
        if isinstance(previous_keys, bytes | str):
            raise TypeError(
                f"previous_keys must be a sequence of keys, got {type(previous_keys).__name__}\n"
                "hint: write previous_keys=(key,) for a single key"
            )
        self._inner = inner
        self._keys = (_key("key", key), *(_key("a previous key", old) for old in previous_keys))
        self._digest = hmac.digest
        self._same = hmac.compare_digest

    def dumps(self, obj: Any, /) -> bytes:
        """Return the signature and the payload of ``obj``."""
        payload = self._inner.dumps(obj)
        return self._digest(self._keys[0], payload, "sha256") + payload

    def loads(self, data: bytes, /) -> Any:
        """Return the value of a payload whose signature is right.

        Raises:
            SignatureError: If it is not. ``inner`` has not seen the payload then.
        """
        signature, payload = data[:_SIGNATURE_BYTES], data[_SIGNATURE_BYTES:]
        for key in self._keys:
            if self._same(self._digest(key, payload, "sha256"), signature):
                return self._inner.loads(payload)
        raise SignatureError(
            f"the signature of {len(data)} stored bytes matches none of {len(self._keys)} keys",
            hint="they were stored without a signature or with another key, or were changed; "
            "a replaced key belongs into previous_keys while jobs signed with it are stored",
        )


_SIGNATURE_BYTES = 32
_SHORTEST_KEY = 16
_LARGE_NUMBER = re.compile(rb"[0-9]{19}")


def _key(name: str, value: object) -> bytes:
    """Return a key as bytes. Errors never show it."""
    if not isinstance(value, bytes | str):
        raise TypeError(f"{name} must be bytes or str, got {type(value).__name__}")
    key = value.encode() if isinstance(value, str) else value
    if len(key) < _SHORTEST_KEY:
        raise ValueError(
            f"{name} must have at least {_SHORTEST_KEY} bytes, got {len(key)}\n"
            "hint: make one with secrets.token_bytes(32)"
        )
    return key


def _json(obj: object, default: Callable[[object], object] | None = None) -> bytes:
    import json  # noqa: PLC0415 - not needed by most programs

    text = json.dumps(
        obj, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=default
    )
    return text.encode()


def _enum_or_uuid(value: object) -> object:
    """Return what orjson writes for the two kinds that it cannot be told to leave alone."""
    from enum import Enum  # noqa: PLC0415 - not needed by most programs
    from uuid import UUID  # noqa: PLC0415 - likewise

    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


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
