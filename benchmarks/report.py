"""The figures as Markdown tables."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.workloads import FIGURES

Samples = Mapping[str, Mapping[str, Sequence[float]]]
"""Figure name, then system, then one value per round, in order."""

FLOOR = "sqlite"
DURABLE = "full"
SMALL = 0.1
TITLE = ("", "system", "median", "min to max", "to {baseline}", "to floor")


def table(samples: Samples, baseline: str) -> str:
    """Return one row per figure and system.

    The last two columns are medians, over the rounds, of the value divided by the value that
    the baseline, and the bare database, had in the same round. A system whose variant is
    ``full`` is compared with the database that syncs, any other with the one that does not.
    """
    rows = [tuple(cell.format(baseline=baseline) for cell in TITLE)]
    for figure, title in FIGURES.items():
        rows += _rows(samples.get(figure, {}), title, baseline)
    return _laid_out(rows, left=2)


def closing(samples: Samples, systems: Sequence[str]) -> str:
    """Return the medians alone: one row per figure, one column per system that has any."""
    measured = [name for name in systems if any(name in values for values in samples.values())]
    rows = [("", *measured)]
    for figure, title in FIGURES.items():
        values = samples.get(figure, {})
        if values:
            medians = (
                number(statistics.median(values[name])) if name in values else "-"
                for name in measured
            )
            rows.append((title, *medians))
    return _laid_out(rows, left=1)


def number(value: float) -> str:
    """Write a figure with about three digits that matter."""
    if value >= 1000:
        return f"{round(value, -2):,.0f}"
    if value >= 10:
        return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
    return f"{value:.3f}"


def _rows(
    by_system: Mapping[str, Sequence[float]], title: str, baseline: str
) -> Iterator[tuple[str, ...]]:
    for system, values in by_system.items():
        durability = DURABLE if system.endswith(f":{DURABLE}") else "normal"
        yield (
            title,
            system,
            number(statistics.median(values)),
            f"{number(min(values))} to {number(max(values))}",
            _ratio(values, by_system.get(baseline, ())),
            _ratio(values, by_system.get(f"{FLOOR}:{durability}", ())),
        )
        title = ""


def _ratio(values: Sequence[float], others: Sequence[float]) -> str:
    ratios = [value / other for value, other in zip(values, others, strict=False) if other]
    if not ratios:
        return "-"
    ratio = statistics.median(ratios)
    return f"{ratio:.2f}" if ratio >= SMALL else f"{ratio:.4f}"


def _laid_out(rows: Sequence[Sequence[str]], *, left: int) -> str:
    """Return a table whose first ``left`` columns are words and whose others are numbers."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [_line(row, widths, left) for row in rows]
    rules = ("-" * (width + 1) + ("-" if n < left else ":") for n, width in enumerate(widths))
    lines.insert(1, "|" + "|".join(rules) + "|")
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int], left: int) -> str:
    cells = [
        f"{cell:<{width}}" if column < left else f"{cell:>{width}}"
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "| " + " | ".join(cells) + " |"
