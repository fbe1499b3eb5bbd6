"""Templates fit together."""

import re
from pathlib import Path

import pytest

import taskito_dashboard

FOLDER = Path(taskito_dashboard.__file__).with_name("templates")
LAYOUTS = {"bare.html", "base.html"}
PAGES = sorted({path.name for path in FOLDER.glob("*.html")} - LAYOUTS)


def blocks(name: str) -> set[str]:
    """The blocks of a template and of those that it extends."""
    source = (FOLDER / name).read_text()
    found = set(re.findall(r"{% block (\w+) %}", source))
    return found.union(*map(blocks, re.findall(r'{% extends "([^"]+)" %}', source)))


@pytest.mark.parametrize("name", PAGES)
def test_what_is_put_into_a_block_has_a_place(name: str) -> None:
    """A block that no parent has is dropped without a word."""
    source = (FOLDER / name).read_text()
    parents = re.findall(r'{% extends "([^"]+)" %}', source)
    if parents:
        places = set().union(*map(blocks, parents))
        assert set(re.findall(r"{% block (\w+) %}", source)) <= places
