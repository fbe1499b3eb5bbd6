"""What the product promises, and the tests that prove it, as the page ``docs/contract.md``.

The files beside this one hold the promises, one file for each part. To promise more, add a line
to one of them, or a file; then write the page anew with ``python -m tests.contract.table``.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "contract.md"
HEAD = """\
<!-- Written by `python -m tests.contract.table` from tests/contract/*.toml. -->

# The contract

What programs may rely on, and the tests that prove it. A promise without a test that exists
fails the test suite, and so does a page that is not this table. Tier 1 is what programs
written for taskito 0.2 use; tier 2 came with this version.

"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One promise.

    Attributes:
        section: its number, e.g. ``2.3``.
        title: what the section is about.
        tier: 1 for what was there before, 2 for what is new.
        says: the promise, a short sentence.
        proof: the tests, as ``path::Class::name`` from ``tests/`` or the root.
    """

    section: str
    title: str
    tier: int
    says: str
    proof: tuple[str, ...]


def items(folder: Path | None = None) -> list[Item]:
    """All promises, in the order of their sections.

    Args:
        folder: where the files are; ours by default.
    """
    found = [item for file in sorted(_folder(folder).glob("*.toml")) for item in _of(file)]
    return sorted(found, key=lambda item: [int(part) for part in item.section.split(".")])


def _folder(folder: Path | None) -> Path:
    return folder or Path(__file__).parent


def _of(file: Path) -> Iterator[Item]:
    sections: dict[str, dict[str, Any]] = tomllib.loads(file.read_text())
    for number, section in sections.items():
        for tier in (1, 2):
            for says, proof in section.get(str(tier), {}).items():
                yield Item(
                    section=number,
                    title=section["title"],
                    tier=tier,
                    says=says,
                    proof=tuple(proof),
                )


def path_of(test: str) -> Path:
    """The file of a test, from the root of the repository."""
    path = Path(test.partition("::")[0])
    return path if path.parts[0] == "packages" else Path("tests") / path


def exists(test: str) -> bool:
    """Whether there is a test of this name."""
    path, _, name = test.partition("::")
    file = ROOT / path_of(path)
    return file.is_file() and name in _names(file)


@cache
def _names(file: Path) -> frozenset[str]:
    source = file.read_text()
    if file.suffix == ".rs":
        return frozenset(_rust_tests(source))
    # Cases for Django's test runner have no word that classes begin with.
    return frozenset(_python_tests(source, "" if file.name.startswith("cases_") else "Test"))


def _python_tests(source: str, prefix: str) -> Iterator[str]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name
        elif isinstance(node, ast.ClassDef) and node.name.startswith(prefix):
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.name.startswith("test_"):
                    yield f"{node.name}::{member.name}"


def _rust_tests(source: str) -> Iterator[str]:
    """Functions marked as tests, and those that ``contract!`` runs against every store."""
    functions = set(re.findall(r"^\s*fn (\w+)", source, re.MULTILINE))
    for listed in re.findall(r"^contract!\[(.*?)\]", source, re.MULTILINE | re.DOTALL):
        yield from functions & set(re.findall(r"\w+", listed))
    yield from re.findall(r"#\[test\]\s+(?:#\[[^\]]*\]\s+)*fn (\w+)", source)


def page(promises: list[Item]) -> str:
    """The whole page."""
    lines: list[str] = []
    section = ""
    for item in promises:
        if item.section != section:
            section = item.section
            lines += ["", f"## {section} {item.title}", ""]
            lines += ["| section | promise | tier | proved by |", "|---|---|---|---|"]
        proof = "<br>".join(_link(test) for test in item.proof)
        says = re.sub(r"([|<*_])", r"\\\1", item.says)
        lines.append(f"| {item.section} | {says} | {item.tier} | {proof} |")
    return HEAD + "\n".join(lines[1:]) + "\n"


def _link(test: str) -> str:
    return f"[`{test}`](../{path_of(test)})"


if __name__ == "__main__":
    PAGE.write_text(page(items()))
    print(f"{len(items())} promises in {PAGE.relative_to(ROOT)}")
