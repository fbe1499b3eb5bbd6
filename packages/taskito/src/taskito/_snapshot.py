"""A copy of the database that appears whole or not at all."""

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskito._database import Database

_SIBLINGS = ("-wal", "-shm", "-journal")


def snapshot(database: "Database", target: Path, *, overwrite: bool) -> Path:
    """Write the database as it is now to ``target``."""
    if _is_same(target, database.path):
        message = f"{str(target)!r} is the database itself"
        raise ValueError(f"{message}\nhint: give the snapshot another name")
    siblings = [target.with_name(target.name + suffix) for suffix in _SIBLINGS]
    if not overwrite:
        for path in (target, *siblings):
            if path.exists():
                raise _exists(path)
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with database as store:
            store.snapshot(os.fspath(unfinished))
        if overwrite:
            # What an older file left beside it would be taken for changes of the new one.
            for path in siblings:
                path.unlink(missing_ok=True)
            unfinished.replace(target)
        else:
            _appear(unfinished, target)
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
            unfinished.with_name(unfinished.name + "-journal").unlink(missing_ok=True)
    _flush(target.parent)
    return target


def _appear(unfinished: Path, target: Path) -> None:
    """Give a file its name, but not in place of another."""
    try:
        os.link(unfinished, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise _exists(target) from None
        unfinished.rename(target)


def _flush(directory: Path) -> None:
    """See that the name survives power loss as well."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_same(target: Path, database: str) -> bool:
    try:
        return target.samefile(database)
    except OSError:
        return False


def _exists(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(path))
