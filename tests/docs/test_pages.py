"""The programs in the documentation run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.mark.parametrize("page", ["canvas.md", "serializers.md"])
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
