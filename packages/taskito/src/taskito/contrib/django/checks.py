"""System checks: ``manage.py check`` says what would go wrong in production.

| id | what is wrong |
|---|---|
| ``taskito.E001`` | the directory of the database cannot be written |
| ``taskito.E002`` | the database lies on a network file system |
| ``taskito.E003`` | the file is also one of ``DATABASES`` |
| ``taskito.E004`` | a ``TASKITO_*`` setting cannot work |
| ``taskito.E005`` | the tasks backend is used without the application |
| ``taskito.W001`` | a ``TASKITO_*`` setting that does not exist |

They open no database.
"""

import os
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - its name
from django.core.exceptions import ImproperlyConfigured

from taskito.cli import _examine
from taskito.contrib.django.settings import NAMES, PREFIX, get_queue

_MEMORY = ":memory:"


@register
def check_taskito(**_: Any) -> list[CheckMessage]:
    """Check the settings and the place of the database."""
    found: list[CheckMessage] = list(_unknown_settings())
    try:
        path = get_queue().db_path
    except ImproperlyConfigured as error:
        message, _separator, hint = str(error).partition("\nhint: ")
        return [*found, Error(message, hint=hint or None, id="taskito.E004")]
    return found if path == _MEMORY else [*found, *place_of(Path(path).absolute())]


def place_of(file: Path) -> Iterator[CheckMessage]:
    """Yield what is wrong with the place of a database file, which need not exist."""
    directory = next(parent for parent in file.parents if parent.exists())
    target = file if file.exists() else directory
    if not directory.is_dir() or not os.access(directory, os.W_OK | os.X_OK):
        yield Error(
            f"the directory of the taskito database cannot be written: {directory}",
            hint=f"let the user of this process write there, or set {PREFIX}DB_PATH",
            id="taskito.E001",
        )
    elif not os.access(target, os.W_OK):
        yield Error(
            f"the taskito database cannot be written: {file}",
            hint="let the user of this process write the file",
            id="taskito.E001",
        )
    kind = _examine._file_system(file)  # noqa: SLF001 - of our own package
    if kind in _examine._NETWORK:  # noqa: SLF001 - likewise
        yield Error(
            f"the taskito database lies on a network file system ({kind}): {file}",
            hint="put it on a local disk: locks and shared memory do not work over a network",
            id="taskito.E002",
        )
    for alias in _sharing(file):
        yield Error(
            f"the taskito database is also DATABASES[{alias!r}]: {file}",
            hint=f"give taskito a file of its own: {PREFIX}DB_PATH = BASE_DIR / 'taskito.db'",
            id="taskito.E003",
        )


def _sharing(file: Path) -> Iterator[str]:
    for alias, database in settings.DATABASES.items():
        name: Any = database.get("NAME")
        if "sqlite" not in str(database.get("ENGINE")) or not name:
            continue
        if Path(name).resolve() == file.resolve():
            yield alias


def _unknown_settings() -> Iterator[CheckMessage]:
    for name in sorted(dir(settings)):
        if name.startswith(PREFIX) and name not in NAMES:
            near = get_close_matches(name, NAMES, n=1)
            question = f"did you mean {near[0]}? " if near else ""
            yield Warning(
                f"taskito has no setting {name}",
                hint=f"{question}Settings: {', '.join(NAMES)}",
                id="taskito.W001",
            )
