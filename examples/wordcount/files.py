"""Which files to count, and how to print names that no terminal can print."""

import os
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from examples.common.worker import ROOT

CODE_AND_TEXT = frozenset(
    (".c", ".cfg", ".h", ".html", ".json", ".md", ".py", ".pyi", ".rst", ".toml", ".txt", ".xml")
)

NOT_PYTHON_ITSELF = frozenset(("site-packages", "dist-packages", "__pycache__"))


def find(folders: Iterable[str], *, beside: str) -> list[str]:
    """List every file below the folders: absolute, sorted, each once.

    Links to folders are not followed, so a loop of links ends here. A folder that cannot be
    listed is itself part of the answer: its job will say why.

    Args:
        folders: folders, or single files.
        beside: the queue's database. It and its side files are left out.
    """
    found: dict[str, None] = {}
    for folder in folders:
        found.update(dict.fromkeys(_below(Path(folder).absolute())))
    return sorted(path for path in found if not path.startswith(beside))


def find_default(*, beside: str) -> list[str]:
    """List the sources of Python's standard library, and the documents of this checkout."""
    paths = sysconfig.get_paths()
    library = _below(Path(paths["stdlib"]), leave_out=NOT_PYTHON_ITSELF)
    headers = _below(Path(paths["include"]))
    documents = [*_below(ROOT / "docs"), *map(str, ROOT.glob("*.md"))]
    chosen = {p for p in (*library, *headers) if Path(p).suffix in CODE_AND_TEXT}
    return sorted(p for p in chosen.union(documents) if not p.startswith(beside))


def _below(folder: Path, leave_out: frozenset[str] = frozenset()) -> Iterator[str]:
    if not folder.is_dir():
        if os.path.lexists(folder):
            yield str(folder)
        return
    unlisted: list[str] = []

    def note(error: OSError) -> None:
        unlisted.append(os.fsdecode(error.filename))

    for directory, folders, names in os.walk(folder, onerror=note):
        folders[:] = (name for name in folders if name not in leave_out)
        for name in names:
            yield str(Path(directory, name))
    yield from unlisted


def printable(path: str) -> str:
    r"""Return the name as text that any terminal and any JSON reader can take.

    Bytes that are no text become ``\xe9``, control characters ``\n`` or ``\x1b``.
    """
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
