"""The installation itself: its files, versions, what is deleted next, and what was done."""

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

import taskito
import taskito_core
from taskito.cli._examine import place
from taskito_dashboard import words
from taskito_dashboard.pages.frame import page
from taskito_dashboard.pages.operations import shown
from taskito_dashboard.routing import Call, shows

if TYPE_CHECKING:
    from taskito.cli._examine import Finding
    from taskito_dashboard.source import Disk, Source

_RECENT = 20
_DAY_MS = 86_400_000
_CHECKS_SECONDS = 10
_OUTLIVED_SECONDS = 60
_MOST_OUTLIVED = 10_000


def system(call: Call) -> Response:
    """The database, versions, and addresses for machines."""
    source, stats = call.source, call.queue.stats()
    versions = [
        ("taskito", taskito.__version__),
        ("taskito-core", taskito_core.__version__),
        ("taskito-dashboard", importlib.metadata.version("taskito-dashboard")),
        ("SQLite", taskito_core.SQLITE_VERSION),
        ("Python", platform.python_version()),
    ]
    with source.database as store:
        journal, cache, unused, oldest_at = store.storage()
    disk, findings = source.disk(), checks(source)
    crew = Counter(row["version"] for row in call.queue.workers())
    return page(
        call,
        "system.html",
        "system",
        "System",
        disk=disk,
        stats=stats,
        storage={"journal": journal, "cache": cache, "unused": unused, "oldest_at": oldest_at},
        schema=taskito_core.SCHEMA_VERSION,
        findings=findings,
        operations=[shown(operation) for operation in source.bulk.operations(_RECENT)],
        deeds=source.bulk.deeds(_RECENT),
        arguments=_arguments(source),
        versions=versions,
        diagnostics=diagnostics(versions, disk, stats, crew, findings),
        retention=retention(source),
        crew=sorted(crew.items()),
        version=taskito.__version__,
    )


def checks(source: "Source") -> "Sequence[Finding]":
    """Return what ``taskito doctor`` finds about the file, up to ten seconds old."""
    path = source.queue.db_path
    if path == ":memory:":
        return ()

    def find() -> "Sequence[Finding]":
        # The file itself is not news, and its size stands beside.
        return [finding for finding in place(path) if finding[:2] != ("ok", "file")]

    found: Sequence[Finding] = source.kept.get("checks", find, seconds=_CHECKS_SECONDS)
    return found


def retention(source: "Source") -> str:
    """Return in words how long finished jobs are kept, and how many go within a day."""
    keeps = source.keeps_ms
    if keeps is None:
        return "" if source.keeps_all else "as long as the workers say"
    kept = f"kept for {words.duration(keeps)}"
    if keeps <= _DAY_MS:
        return f"{kept}; all that there are now go within a day"
    count: str = source.kept.get(
        ("outlived", keeps), lambda: _outlived(source, keeps), seconds=_OUTLIVED_SECONDS
    )
    return f"{kept}; {count} within a day"


def _outlived(source: "Source", keeps: int) -> str:
    """Return how many finished jobs have less than a day left, counted up to a limit.

    By when they were stored: one that waited or ran for long has more time.
    """
    with source.database as store:
        found = store.outlived_by(store.now - keeps + _DAY_MS, _MOST_OUTLIVED + 1)
    count = f"{min(found, _MOST_OUTLIVED):,}{'+' if found > _MOST_OUTLIVED else ''}"
    return f"{count} of them go{'es' if found == 1 else ''}"


def diagnostics(
    versions: Iterable[tuple[str, str]],
    disk: "Disk",
    stats: Mapping[str, int],
    workers: Mapping[str, int],
    findings: "Iterable[Finding]" = (),
) -> str:
    """Return what a report of a defect should say, as lines; no name and no path."""
    lines = [f"{name} {version}" for name, version in versions]
    lines.append(f"schema {taskito_core.SCHEMA_VERSION}")
    running = ", ".join(f"{number} x {version}" for version, number in sorted(workers.items()))
    lines.append(f"workers {running or 'none'}")
    lines.append(f"platform {platform.platform()}")
    sizes = (("database", disk.size), ("log", disk.log_size), ("free", disk.free))
    lines += [f"{name} {octets:,} bytes" for name, octets in sizes if octets is not None]
    # Remedies and messages may name paths; what was checked does not.
    lines += [f"{check} {status}" for status, check, _, _ in findings]
    lines += [f"{status} {number:,}" for status, number in stats.items()]
    return "\n".join(lines)


def _arguments(source: "Source") -> str:
    if source.hides:
        return "hidden"
    if source.decodes:
        return "decoded with the serializer of the program"
    return "not decoded: opened without a program"


ROUTES = (shows("/system", system),)
