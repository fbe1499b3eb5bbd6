"""A database file seen from outside: where it lies, and what any SQLite reads in it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from taskito._readers import LONG_LOG, readers

Finding: TypeAlias = tuple[Literal["ok", "warn", "fail"], str, str, str | None]

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse.sshfs", "afs"}
_LEAST_FREE = 2**28
_READ_BY_OTHERS = 0o077
# In a process of its own: two copies of SQLite in one process break each other's locks.
_PROGRAM = """
import json, pathlib, sqlite3, sys, time
uri = pathlib.Path(sys.argv[1]).absolute().as_uri() + "?mode=ro"
try:
    db = sqlite3.connect(uri, uri=True, timeout=10)
    damage = [row[0] for row in db.execute("PRAGMA quick_check(3)") if row[0] != "ok"]
    schema = db.execute("PRAGMA user_version").fetchone()[0]
    waiting = db.execute(
        "SELECT queue, task_name, count(*), min(scheduled_at) FROM jobs"
        " WHERE status = 0 AND waiting_on = 0 AND scheduled_at <= ? GROUP BY 1, 2",
        [time.time() * 1000],
    ).fetchall()
    print(json.dumps([schema, damage, waiting]))
except sqlite3.Error as error:
    sys.exit(str(error))
"""


class Waiting(NamedTuple):
    """Jobs of one task in one queue that are due."""

    queue: str
    task: str
    jobs: int
    due: int


class Contents(NamedTuple):
    """What any SQLite reads in the file."""

    schema: int
    damage: list[str]
    waiting: list[Waiting]


def contents(path: str) -> Contents | str:
    """Return what is in a database file, or why it cannot be read."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-I", "-c", _PROGRAM, path], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return done.stderr.strip().rpartition("\n")[2] or "the file cannot be read"
    schema, damage, waiting = json.loads(done.stdout)
    return Contents(schema, damage, [Waiting(*entry) for entry in waiting])


def place(path: str) -> Iterator[Finding]:
    """Yield what is to be said about a file and its directory."""
    file = Path(path).absolute()
    if not file.is_file():
        yield "fail", "file", f"there is none at {str(file)!r}", "a worker or producer creates it"
        return
    status = file.stat()
    yield "ok", "file", f"{file}, {status.st_size / 2**20:,.1f} MB", None
    if not (os.access(file, os.R_OK | os.W_OK) and os.access(file.parent, os.W_OK | os.X_OK)):
        message = "the file and its directory must be writable for this user"
        yield "fail", "permissions", message, f"chown or chmod {file.parent}"
    elif status.st_mode & _READ_BY_OTHERS:
        message = f"other users may open it (mode {status.st_mode & 0o777:o})"
        yield "warn", "permissions", message, f"chmod 600 {file}"
    else:
        yield "ok", "permissions", "writable, and for this user alone", None
    kind = _file_system(file)
    if kind in _NETWORK:
        remedy = "move it to a local disk: locks and shared memory do not work over a network"
        yield "fail", "file system", f"{kind} is a network file system", remedy
    else:
        yield "ok", "file system", kind or "unknown", None
    free = shutil.disk_usage(file.parent).free
    low = free < _LEAST_FREE
    message = f"{free / 2**20:,.0f} MB free"
    yield "warn" if low else "ok", "space", message, "free some, or: taskito purge" if low else None
    yield _log(file)


def network(file: Path) -> str | None:
    """Return the type of the file system a file lies on, if that is one of another machine."""
    kind = _file_system(file)
    return kind if kind in _NETWORK else None


def _log(file: Path) -> Finding:
    """Return what is to be said about the write-ahead log."""
    log = file.with_name(f"{file.name}-wal")
    size = log.stat().st_size if log.is_file() else 0
    message = f"{size / 2**20:,.1f} MB in the write-ahead log"
    if size <= LONG_LOG:
        return "ok", "log", message, None
    if found := readers(str(file)):
        message += f", which cannot begin anew: {', '.join(found)} reads the database"
        return "warn", "log", message, "let it end its transaction, or end it"
    return "warn", "log", f"{message}, and nobody reads", "a worker shortens it; run one"


def _file_system(file: Path) -> str | None:
    """Return the type of the file system a file lies on, where Linux tells."""
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split()
        root = Path(point.replace("\\040", " "))
        # The last mount on a place hides those before it.
        if file.resolve().is_relative_to(root) and (not found or len(root.parts) >= found[0]):
            found = len(root.parts), kind
    return found[1] if found else None
