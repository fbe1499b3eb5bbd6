"""Who reads a database at this moment, and so keeps its log from being moved into the file."""

from pathlib import Path

LONG_LOG = 64 * 2**20
"""A write-ahead log of more bytes than that is kept long by somebody: see ``log.rs``."""

# Where SQLite's readers lock the index of the log (https://sqlite.org/walformat.html, 2.3.1).
_FIRST, _LAST = 123, 127


def readers(path: str) -> list[str]:
    """Return the other programs that read a database, like ``process 4711 (python app.py)``.

    taskito's own reads are short and are not among them, nor is who reads from other machines
    or containers. Empty where the system does not tell.
    """
    try:
        number = Path(f"{path}-shm").stat().st_ino
        locks = Path("/proc/locks").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = set()
    for line in locks.splitlines():
        match line.split():
            case [_, "POSIX", _, "READ", pid, place, first, _] if (
                place.rpartition(":")[2] == str(number) and _FIRST <= int(first) <= _LAST
            ):
                found.add(int(pid))
    return [f"process {pid}{_command(pid)}" for pid in sorted(found)]


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    except OSError:
        return ""
    return f" ({b' '.join(words).decode('utf-8', 'replace')[:100]})"
