"""The installation itself: its files, versions, and what was done."""

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

import taskito
import taskito_core
from taskito_dashboard.pages.frame import page
from taskito_dashboard.pages.operations import shown
from taskito_dashboard.routing import Call, shows

_RECENT = 20

if TYPE_CHECKING:
    from taskito_dashboard.source import Disk


def system(call: Call) -> Response:
    """The database, versions, and addresses for machines."""
    stats = call.queue.stats()
    versions = [
        ("taskito", taskito.__version__),
        ("taskito-core", taskito_core.__version__),
        ("taskito-dashboard", importlib.metadata.version("taskito-dashboard")),
        ("SQLite", taskito_core.SQLITE_VERSION),
        ("Python", platform.python_version()),
        ("schema", str(taskito_core.SCHEMA_VERSION)),
    ]
    disk = call.source.disk()
    others = sorted({row["version"] for row in call.queue.workers()})
    return page(
        call,
        "system.html",
        "system",
        "System",
        disk=disk,
        stats=stats,
        operations=[shown(operation) for operation in call.source.bulk.operations(_RECENT)],
        deeds=call.source.bulk.deeds(_RECENT),
        decodes=call.source.decodes,
        versions=versions,
        diagnostics=diagnostics(versions, disk, stats, others),
        keeps_all=call.source.keeps_all,
        keeps_ms=call.source.keeps_ms,
        worker_versions=others,
    )


def diagnostics(
    versions: Iterable[tuple[str, str]],
    disk: "Disk",
    stats: Mapping[str, int],
    workers: Iterable[str],
) -> str:
    """Return what a report of a defect should say, as lines; no name and no path."""
    lines = [f"{name} {version}" for name, version in versions]
    lines.append(f"workers {', '.join(workers) or 'none'}")
    lines.append(f"platform {platform.platform()}")
    sizes = (("database", disk.size), ("log", disk.log_size), ("free", disk.free))
    lines += [f"{name} {octets:,} bytes" for name, octets in sizes if octets is not None]
    lines += [f"{status} {number:,}" for status, number in stats.items()]
    return "\n".join(lines)


ROUTES = (shows("/system", system),)
