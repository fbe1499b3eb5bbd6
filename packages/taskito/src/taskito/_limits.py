"""The options of a task that limit how its jobs start, checked in the engine's units."""

from collections.abc import Mapping
from dataclasses import dataclass
from reprlib import repr as short_repr
from typing import TYPE_CHECKING, cast

from taskito._checks import duration, integer, string, unknown_option

if TYPE_CHECKING:
    from taskito._core import Limits
    from taskito.options import TaskOptions

_RATE_HINT = "write '10/s', '100/minute' or '0.5/h'; periods are s, m, h and d"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerOptions:
    """When the circuit breaker of a task opens, and for how long.

    Attributes:
        threshold: So many failures open it.
        window_ms: If they lie within this time of one another.
        cooldown_ms: How long it stays open before it tries one job.
    """

    threshold: int = 5
    window_ms: int = 60_000
    cooldown_ms: int = 300_000


def rate(name: str, value: object) -> str:
    """Return a rate like ``10/s`` if it is one; the engine judges."""
    text = string(name, value)
    from taskito._core import EngineError, Limits  # noqa: PLC0415 - most tasks have no rate

    try:
        Limits(rate=text)
    except EngineError as error:
        message = f"{name} is malformed: {error}\nhint: {_RATE_HINT}"
        raise ValueError(message) from None
    return text


def concurrency(name: str, value: object) -> int:
    """Return how many jobs may run at once."""
    return integer(name, value, 1)


def breaker(name: str, value: object) -> BreakerOptions:
    """Return the settings of a circuit breaker, given as a mapping."""
    if not isinstance(value, Mapping):
        message = f"{name} must be a mapping, got {short_repr(value)}"
        hint = f"write {name}={{'threshold': 5, 'window': 60, 'cooldown': 300}}"
        raise TypeError(f"{message}\nhint: {hint}")
    given = cast("Mapping[str, object]", value)
    for key in given:
        if key not in _BREAKER_KEYS:
            raise unknown_option(key, _BREAKER_KEYS, name)
    known = BreakerOptions()
    window_ms = duration(f"{name}['window']", given.get("window", known.window_ms / 1000))
    if window_ms == 0:
        message = f"{name}['window'] must be positive, got {given['window']!r}"
        raise ValueError(message)
    return BreakerOptions(
        threshold=integer(f"{name}['threshold']", given.get("threshold", known.threshold), 1),
        window_ms=window_ms,
        cooldown_ms=duration(
            f"{name}['cooldown']", given.get("cooldown", known.cooldown_ms / 1000)
        ),
    )


_BREAKER_KEYS = ("threshold", "window", "cooldown")


def native(options: "TaskOptions") -> "Limits | None":
    """Return the limits of a task for the engine; ``None`` if it has none."""
    circuit = options.circuit_breaker
    if options.rate_limit is None and options.max_concurrent is None and circuit is None:
        return None
    from taskito._core import Limits  # noqa: PLC0415

    return Limits(
        rate=options.rate_limit,
        max_concurrent=options.max_concurrent,
        breaker=None
        if circuit is None
        else (circuit.threshold, circuit.window_ms, circuit.cooldown_ms),
    )
