"""The figures as a picture: SVG, one group of bars per figure."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from benchmarks.report import Samples, number
from benchmarks.workloads import FIGURES

WIDTH = 860
BARS_AT = 150
BARS_WIDTH = 560
ROW = 20
BAR = 14
TITLE = 34
MARGIN = 12
COSTS = (", ms", ", MB", "bytes")
OURS = "#2f6f4f"
OTHERS = "#9aa5b1"
STYLE = "text { font: 12px sans-serif; fill: #222 } .title { font-weight: bold }"


def svg(samples: Samples) -> str:
    """Return a document with one bar per figure and system.

    A bar is the median, on a scale that begins at zero and ends at the largest value of its
    figure; the thin line goes from the lowest value to the highest.
    """
    parts: list[str] = []
    y = MARGIN
    for figure, title in FIGURES.items():
        if values := samples.get(figure):
            parts += _group(title, values, y)
            y += TITLE + ROW * len(values)
    size = f'width="{WIDTH}" height="{y + MARGIN}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
    ground = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", ground, *parts, "</svg>", ""])


def _group(title: str, values: Mapping[str, Sequence[float]], y: int) -> Iterator[str]:
    most = max(max(round_) for round_ in values.values()) or 1.0
    less = any(unit in title for unit in COSTS)
    yield _text(MARGIN, y + TITLE - 14, title + (" (less is better)" if less else ""), "title")
    for row, (system, rounds) in enumerate(values.items()):
        yield from _bar(system, rounds, most, y + TITLE + row * ROW)


def _bar(system: str, rounds: Sequence[float], most: float, y: int) -> Iterator[str]:
    middle = y - ROW // 2 + BAR
    median = statistics.median(rounds)
    low, high = (BARS_AT + value / most * BARS_WIDTH for value in (min(rounds), max(rounds)))
    colour = OURS if system.startswith("taskito:") else OTHERS
    yield _text(MARGIN, middle + 4, system)
    yield (
        f'<rect x="{BARS_AT}" y="{middle - BAR // 2}" width="{median / most * BARS_WIDTH:.1f}" '
        f'height="{BAR}" fill="{colour}"/>'
    )
    yield f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle}" y2="{middle}" stroke="#222"/>'
    yield _text(round(high) + 8, middle + 4, number(median))


def _text(x: int, y: int, words: str, style: str = "plain") -> str:
    return f'<text x="{x}" y="{y}" class="{style}">{escape(words)}</text>'
