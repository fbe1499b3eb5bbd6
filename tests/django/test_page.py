"""The project on the page about Django works as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from taskito.contrib.django import checks, settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "django.md"
FILE = re.compile(r"^```python\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def manage(folder: Path, *argv: str) -> str:
    """Run a command of the project."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "TASKITO"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "django", *argv],
        cwd=folder,
        env={**kept, "DJANGO_SETTINGS_MODULE": "shop.settings", "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_its_files_are_a_project_whose_tests_pass(tmp_path: Path) -> None:
    text = PAGE.read_text()
    files = dict(FILE.findall(text))
    assert len(files) == text.count("```python")
    for name, body in {"shop/__init__.py": "", **files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(body)

    assert "no issues" in manage(tmp_path, "check")
    assert "weekly_report" in manage(
        tmp_path, "shell", "-c", "from shop.native import queue; print(queue._periodic_configs)"
    )
    tests = manage(tmp_path, "test")
    assert f"Ran {files['shop/tests.py'].count('def test_')} tests" in tests
    assert "\nOK\n" in tests
    assert not (tmp_path / "taskito.db").exists()


def test_it_names_every_setting_and_every_check() -> None:
    page = PAGE.read_text()

    assert {name for name in settings.NAMES if f"`{name}`" not in page} == {"TASKITO_BACKEND"}
    told = re.findall(r"`(taskito\.[EW]\d+)`", page)
    assert re.findall(r"``(taskito\.[EW]\d+)``", checks.__doc__ or "") == told
