"""Every promise on the page of guarantees names a test, and that test exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "guarantees.md"
LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)#([^)\s]+)\)")
MARK = re.compile(r"<!-- tests: ([^>]+) -->")


def links() -> list[tuple[str, str]]:
    """File and name of each linked test."""
    return [(path, name) for _, path, name in LINK.findall(PAGE.read_text())]


def promises() -> list[str]:
    """The rows of the tables whose last column says what shows it."""
    found: list[str] = []
    for table in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(), re.MULTILINE):
        head, _, *rows = table.splitlines()
        if head.endswith("| shown by |"):
            found += rows
    return found


@pytest.mark.parametrize(("path", "name"), sorted(set(links())))
def test_a_test_that_the_page_links_to_exists(path: str, name: str) -> None:
    file = (PAGE.parent / path).resolve()
    word = {".py": "def", ".rs": "fn"}[file.suffix]
    assert re.search(rf"^\s*{word} {name}\(", file.read_text(), re.MULTILINE), (
        f"{path} has no {name}"
    )


def test_every_promise_links_to_a_test_or_says_whose_it_is() -> None:
    rows = promises()
    assert len(rows) > 30
    for row in rows:
        last = row.rstrip("| ").rpartition(" | ")[2]
        assert LINK.search(last) or MARK.search(last), f"nothing shows: {row}"


def test_the_commands_of_the_page_exist() -> None:
    modules = re.findall(r"^\| `python -m ([\w.]+)", PAGE.read_text(), re.MULTILINE)
    assert len(modules) == 4
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()
