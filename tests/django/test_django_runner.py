"""Tests of the project, run by Django's own test runner as a project would run them."""

import re
from pathlib import Path

import pytest

from tests.django.support import PATIENCE, Project

# Several processes of Django, one after the other, on a busy machine.
pytestmark = pytest.mark.timeout(300)

SHOP = Path(__file__).parent / "project" / "shop"


@pytest.mark.parametrize("cases", sorted(file.stem for file in SHOP.glob("cases_*.py")))
def test_the_tests_of_the_project_pass(project: Project, cases: str) -> None:
    wanted = len(
        re.findall(r"^    (?:async )?def test_", (SHOP / f"{cases}.py").read_text(), re.MULTILINE)
    )

    argv = ("test", "-v", "2", f"tests.django.project.shop.{cases}")
    done = project.manage(*argv, within=4 * PATIENCE)

    ran = re.search(r"^Ran (\d+) tests", done.err, re.MULTILINE)
    assert ran is not None
    assert int(ran[1]) >= wanted
    assert "\nOK\n" in done.err
