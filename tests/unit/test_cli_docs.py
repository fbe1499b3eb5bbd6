"""docs/cli.md names every command with exactly its arguments."""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskito.cli._flags import global_flags
from taskito.cli._run import _parser

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
GLOBAL = {option for action in global_flags()._actions for option in action.option_strings}


def commands(parser: argparse.ArgumentParser, *path: str) -> Iterator[tuple[str, set[str]]]:
    """Yield every command that does something, with its arguments."""
    words: set[str] = set()
    children: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            children = dict(action.choices)
        else:
            names = action.option_strings[-1:] or [str(action.metavar)]
            words |= {name for name in names if name not in GLOBAL | {"--help"}}
    for name, child in children.items():
        yield from commands(child, *path, name)
    if path and not children:
        yield " ".join(path), words


@pytest.fixture(scope="module")
def documented() -> dict[str, set[str]]:
    rows = re.findall(r"^\| `([a-z][^`]*)` \|", PAGE, re.MULTILINE)
    found = {}
    for row in rows:
        name = re.match(r"[a-z]+( [a-z]+)*", row)
        assert name is not None
        without_values = re.sub(r"(--[a-z-]+) [^\]]+\]", r"\1]", row[name.end() :])
        found[name[0]] = set(re.findall(r"--[a-z-]+|[A-Z]+", without_values))
    return found


def test_commands_and_their_arguments(documented: dict[str, set[str]]) -> None:
    assert documented == dict(commands(_parser(["version"])))


def test_global_options() -> None:
    for option in GLOBAL:
        assert f"| `{option}" in PAGE
