"""What the figures were measured on."""

import os
import platform
import time
from pathlib import Path


def facts(directory: Path) -> dict[str, str]:
    """Describe the machine, and the file system of ``directory``."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        cores = os.cpu_count() or 1
    return {
        "machine": f"{cores} cores, {_processor()}, {platform.machine()}",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "file system": _file_system(directory),
    }


class Neighbours:
    """How much of the processors all other programs used, from its making until asked.

    Our own share is this process and the children that have ended. Where there is no
    ``/proc/stat``, nothing is known and the answer is zero.
    """

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._busy = _busy_seconds()
        self._own = _own_seconds()

    def share(self) -> float:
        """Return their share of the machine: 1.0 is all of its processors, all the time."""
        used = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        elapsed = time.monotonic() - self._begin
        return max(0.0, used / elapsed / (os.cpu_count() or 1))


def _busy_seconds() -> float:
    try:
        first = Path("/proc/stat").read_text().partition("\n")[0]
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, *rest = map(int, first.split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    return sum(os.times()[:4])


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown processor")


def _file_system(directory: Path) -> str:
    """Return the type of the file system, by the longest mount point above the directory."""
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    folder = directory.resolve()
    above = [(len(point), kind) for point, kind in mounts if folder.is_relative_to(point)]
    kind = max(above)[1] if above else "unknown"
    return f"{kind} (in memory: syncing costs nothing here)" if kind == "tmpfs" else kind
