"""The figures as a Markdown table."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.workloads import WORKLOADS

Samples = Mapping[str, Mapping[str, Sequence[float]]]
"""Figure name, then system, then one value per round, in order."""

TITLE = ("", "system", "median", "min to max", "to {baseline}")


def table(samples: Samples, baseline: str) -> str:
    """Return one row per figure and system.

    The last column is the median, over the rounds, of the value divided by the baseline's
    value of the same round.
    """
    rows = [tuple(cell.format(baseline=baseline) for cell in TITLE)]
    for workload in WORKLOADS.values():
        for figure, title in workload.figures.items():
            rows += _rows(samples.get(figure, {}), title, baseline)
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLE))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "|" + "|".join(_rule(n, width) for n, width in enumerate(widths)) + "|")
    return "\n".join(lines)


def _rows(
    by_system: Mapping[str, Sequence[float]], title: str, baseline: str
) -> Iterator[tuple[str, ...]]:
    base = by_system.get(baseline, ())
    for system, values in by_system.items():
        median = statistics.median(values)
        ratios = [value / other for value, other in zip(values, base, strict=False)]
        ratio = f"{statistics.median(ratios):.2f}" if ratios else "-"
        yield (
            title,
            system,
            number(median),
            f"{number(min(values))} to {number(max(values))}",
            ratio,
        )
        title = ""


def number(value: float) -> str:
    """Write a figure with about three digits that matter."""
    if value >= 1000:
        return f"{round(value, -2):,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3f}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        f"{cell:<{width}}" if column < 2 else f"{cell:>{width}}"
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "| " + " | ".join(cells) + " |"


def _rule(column: int, width: int) -> str:
    return "-" * (width + 2) if column < 2 else "-" * (width + 1) + ":"
