"""What is to be expected of a job that runs or waits, and how a complete one compares. Pure."""

from collections.abc import Mapping

from taskito_dashboard import words

_WHOLE = 100


def ahead(progress: int | None, begun_at: int | None, now: int) -> str:
    """Return how fast a job that runs gets on and how long the rest takes at that rate, in words.

    Empty when it has not said how far it is, or is through.
    """
    if not progress or progress >= _WHOLE or begun_at is None or now <= begun_at:
        return ""
    passed = now - begun_at
    each_minute = progress * 60_000 / passed
    left = (_WHOLE - progress) * passed / progress
    number, unit = (each_minute, "min") if each_minute <= _WHOLE else (each_minute / 60, "s")
    rate = f"{number:,.0f}" if number >= 10 else f"{number:.1f}"  # noqa: PLR2004
    return f"{rate}{words.THIN}% / {unit} · about {words.duration(left)} left"


def turn(before: int, done_per_minute: float) -> str:
    """Return when as many jobs as are before one will be done, in words; empty if nobody knows."""
    if not done_per_minute:
        return ""
    return f"about {words.duration(before * 60_000 / done_per_minute)} at the present rate"


def compared(run_ms: int | None, day: Mapping[str, float | None]) -> str:
    """Return how long a job ran, against the attempts of its task in the last day.

    Args:
        run_ms: Its last attempt; ``None`` if nobody knows.
        day: Percentiles of these, by ``p50`` and ``p95``, in ms; empty if nothing ran.
    """
    if run_ms is None:
        return ""
    if not day:
        return f"ran {words.duration(run_ms)}"
    p50, p95 = (words.duration(day[name]) for name in ("p50", "p95"))
    return f"ran {words.duration(run_ms)}; its task {p50} (p50) to {p95} (p95) in 24{words.THIN}h"
