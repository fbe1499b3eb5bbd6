"""Workers, and the installation itself."""

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from werkzeug.wrappers import Response

import taskito
import taskito_core
from taskito_dashboard.pages.frame import page
from taskito_dashboard.pages.operations import shown
from taskito_dashboard.routing import Call, shows
from taskito_dashboard.source import MOST_RUNNING

_RECENT = 20
_RUNNING_SHOWN = 50

if TYPE_CHECKING:
    from taskito_dashboard.source import Disk


def workers(call: Call) -> Response:
    """All workers, and what they run now."""
    rows, running = call.queue.workers(), call.source.running(MOST_RUNNING)
    begun = Counter(job["worker_id"] for job in running)
    memory = {member["worker_id"]: member["rss"] for member in call.source.crew()}
    for row in rows:
        row["begun"], row["rss"] = begun[row["worker_id"]], memory.get(row["worker_id"])
        # The roster is as old as the last heartbeat.
        row["running"] = max(row["running"], row["begun"])
    return page(
        call,
        "workers.html",
        "workers",
        "Workers",
        rows=rows,
        running=running[:_RUNNING_SHOWN],
        is_cut=len(running) > _RUNNING_SHOWN,
        names={row["worker_id"]: f"{row['hostname']}:{row['pid']}" for row in rows},
    )


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


ROUTES = (shows("/workers", workers), shows("/system", system))
