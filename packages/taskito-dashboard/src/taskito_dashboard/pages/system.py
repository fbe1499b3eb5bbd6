"""Workers, and the installation itself."""

import importlib.metadata
import platform

from werkzeug.wrappers import Response

import taskito
import taskito_core
from taskito_dashboard.pages.frame import page
from taskito_dashboard.pages.operations import shown
from taskito_dashboard.routing import Call, shows

_RECENT = 20


def workers(call: Call) -> Response:
    """All workers."""
    return page(call, "workers.html", "workers", "Workers", rows=call.queue.workers())


def system(call: Call) -> Response:
    """The database, versions, and addresses for machines."""
    stats = call.queue.stats()
    return page(
        call,
        "system.html",
        "system",
        "System",
        disk=call.source.disk(),
        stats=stats,
        operations=[shown(operation) for operation in call.source.bulk.operations(_RECENT)],
        deeds=call.source.bulk.deeds(_RECENT),
        decodes=call.source.decodes,
        versions=[
            ("taskito", taskito.__version__),
            ("taskito-core", taskito_core.__version__),
            ("taskito-dashboard", importlib.metadata.version("taskito-dashboard")),
            ("SQLite", taskito_core.SQLITE_VERSION),
            ("Python", platform.python_version()),
            ("schema", str(taskito_core.SCHEMA_VERSION)),
        ],
        worker_versions=sorted({row["version"] for row in call.queue.workers()}),
    )


ROUTES = (shows("/workers", workers), shows("/system", system))
