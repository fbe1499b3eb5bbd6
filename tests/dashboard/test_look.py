"""What can be measured of the look: contrast, weight, and that data stays text."""

import gzip
import re
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client

from taskito import Queue
from taskito_dashboard import create_app
from taskito_dashboard.rendering import Pages

TOKENS = ("text", "second", "third", "accent", "pending", "scheduled", "running")
STATES = ("completed", "warning", "failed", "dead")
STYLE = Pages().files["style.css"].decode()
LEAST = 4.5
"""Of WCAG 2.2, 1.4.3, for text of any size."""
MOST_BYTES = 60_000


def colours(token: str) -> tuple[str, str]:
    """The light and the dark value of a token of the style sheet."""
    found = re.search(rf"--{token}: light-dark\((#\w+), (#\w+)\)", STYLE)
    assert found, token
    return found[1], found[2]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour[1:]
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    parts = [int(digits[i:j], 16) / 255 for i, j in pairwise(range(0, 7, 2))]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("token", TOKENS + STATES)
@pytest.mark.parametrize("ground", ["page", "surface"])
def test_text_can_be_read_in_both_themes(token: str, ground: str) -> None:
    for colour, behind in zip(colours(token), colours(ground), strict=True):
        assert contrast(colour, behind) >= LEAST, (colour, behind)


def test_the_accent_can_be_read_on_its_own_ground() -> None:
    for colour, behind in zip(colours("accent"), colours("accent-soft"), strict=True):
        assert contrast(colour, behind) >= LEAST


def test_the_first_page_is_light(client: Client, queue: Queue) -> None:
    queue.enqueue_many("add", [(n, n) for n in range(50)])
    contents = [client.get(path).data for path in ("/", "/jobs")] + list(Pages().files.values())

    assert sum(len(gzip.compress(content)) for content in contents) < MOST_BYTES


def test_pages_load_nothing_from_elsewhere(client: Client, queue: Queue) -> None:
    queue.enqueue("add")
    texts = [client.get("/").text, *(content.decode() for content in Pages().files.values())]
    for text in texts:
        found = set(re.findall(r"https?://[^\s\"'<)]+", text))
        # The second is in a comment that names the author.
        assert found <= {"http://www.w3.org/2000/svg", "https://github.com/leeoniya/uPlot"}


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.text(min_size=1, max_size=60, alphabet=st.characters(codec="utf-8", exclude_characters="\0"))
)
def test_any_text_of_a_job_stays_text(text: str) -> None:
    hostile = f"<b>{text}</b>\"'><i>&amp;"
    with Queue(":memory:") as queue:
        job = queue.enqueue(hostile, queue=hostile, metadata=hostile, unique_key=hostile)
        client = Client(create_app(queue))
        for path in ("/", "/jobs", f"/jobs/{job.id}", "/queues", "/tasks"):
            page = client.get(path).text
            assert "<b>" not in re.sub(r"<b>[\d,+]*</b>", "", page)
            assert "<i>" not in page
            assert "&amp;amp;" in page
