"""Jobs of the tasks backend are JSON, all others what Python can pickle, in one database."""

from typing import Any, cast

from taskito.context import ACTIVE
from taskito.serializers import CloudpickleSerializer, JsonSerializer

_PICKLE = b"\x80"  # how every pickle of today begins, and no JSON
_MARK = "returned_as_json"
_NOTHING = object()


class JsonArguments(tuple[Any, ...]):
    """Positional arguments of a job that is stored as JSON."""

    __slots__ = ()


def mark_result(value: object) -> None:
    """Have what the current attempt returns stored as JSON. It must return this object."""
    setattr(ACTIVE.get(), _MARK, value)


class MixedSerializer:
    """JSON for jobs of the tasks backend, pickle for those of ``@get_queue().task``.

    What was marked as JSON is never pickled. Reading tells one from the other by the first byte.
    """

    __slots__ = ("_json", "_pickle")

    def __init__(self) -> None:
        """Load nothing."""
        self._json = JsonSerializer()
        self._pickle = CloudpickleSerializer()

    def dumps(self, obj: Any, /) -> bytes:
        """Return ``obj`` as JSON if it was marked so, else as a pickle."""
        is_json = _is_marked(obj)
        return self._json.dumps(obj) if is_json else self._pickle.dumps(obj)

    def loads(self, data: bytes, /) -> Any:
        """Return the value of either form."""
        return self._json.loads(data) if is_json(data) else self._pickle.loads(data)


def is_json(data: bytes) -> bool:
    """Return whether these bytes are JSON, which may be shown without running any code."""
    return not data.startswith(_PICKLE)


def _is_marked(obj: object) -> bool:
    if isinstance(obj, tuple):
        parts = cast("tuple[object, ...]", obj)
        if parts and type(parts[0]) is JsonArguments:
            return True
    attempt = ACTIVE.get(None)
    return attempt is not None and vars(attempt).get(_MARK, _NOTHING) is obj
