"""What the figures were measured on."""

import os
import platform
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


def load() -> str:
    """Return the load average of the last minute: above 0.3 or so, something else was running."""
    return f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown"


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
