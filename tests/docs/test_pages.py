"""The programs in the documentation run as they stand."""

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from taskito_core import Timing

ROOT = Path(__file__).resolve().parents[2]
BERLIN = ZoneInfo("Europe/Berlin")
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


def program(page: str) -> str:
    """All Python of a page, one piece after the other, lines where they are on the page."""
    text = (ROOT / "docs" / page).read_text()
    lines = [""] * text.count("\n")
    for block in FENCE.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for number, line in enumerate(block[1].splitlines()):
            lines[first + number] = line
    return "\n".join(lines)


PAGES = [
    "canvas.md",
    "context.md",
    "dashboard.md",
    "fastapi.md",
    "filters.md",
    "flask.md",
    "hooks.md",
    "limits.md",
    "locks.md",
    "running.md",
    "schedules.md",
    "serializers.md",
    "telemetry.md",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_python_of_a_page_runs(page: str, tmp_path: Path) -> None:
    code = program(page)
    assert code.strip()
    (tmp_path / "page.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "error", "page.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, f"{page}, with the lines of the page:\n{done.stderr}"


def test_the_page_on_schedules_tells_the_truth_about_clock_changes() -> None:
    text = (ROOT / "docs" / "schedules.md").read_text()
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    nights = [datetime(2024, 3, 31, tzinfo=BERLIN), datetime(2024, 10, 27, tzinfo=BERLIN)]
    told = {expression: cells for expression, *cells in rows if len(expression.split()) == 5}
    assert len(told) == 5
    for expression, cells in told.items():
        fires = [", ".join(fires_of(expression, night)) or "none" for night in nights]
        assert cells == fires, expression


def fires_of(expression: str, midnight: datetime) -> list[str]:
    """What fires in Berlin between 00:30 and 04:30 local time."""
    timing = Timing.cron(expression, "Europe/Berlin")
    found = []
    fire = timing.next(int(midnight.replace(minute=30).timestamp() * 1000))
    while fire is not None and fire <= midnight.replace(hour=4, minute=30).timestamp() * 1000:
        local = timing.local(fire) or ""
        found.append(local[11:16] + local[19:])
        fire = timing.next(fire)
    return found


def test_links_of_the_pages_lead_somewhere() -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_tests_of_the_page_on_testing_pass(tmp_path: Path) -> None:
    shop, *tests = FENCE.findall((ROOT / "docs" / "testing.md").read_text())
    (tmp_path / "shop.py").write_text(shop)
    (tmp_path / "test_shop.py").write_text("".join(tests))
    (tmp_path / "pytest.ini").write_text("[pytest]\ntaskito_app = shop:queue\n")
    # The plugin by its module, so that it need not be installed.
    plugin = ["-p", "no:taskito", "-p", "taskito.pytest_plugin"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *plugin],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=25,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert f"{len(re.findall('^def test_', ''.join(tests), re.MULTILINE))} passed" in done.stdout
    assert not (tmp_path / "shop.db").exists()
