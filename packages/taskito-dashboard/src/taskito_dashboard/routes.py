"""The table of routes: every address, who may ask, and what answers."""

from taskito_dashboard import openapi
from taskito_dashboard._version import __version__
from taskito_dashboard.api import dead
from taskito_dashboard.api import failures as api_failures
from taskito_dashboard.api import jobs as api_jobs
from taskito_dashboard.api import operations as api_operations
from taskito_dashboard.api import queues as api_queues
from taskito_dashboard.api import rollups as api_rollups
from taskito_dashboard.api import schedules as api_schedules
from taskito_dashboard.api import system as api_system
from taskito_dashboard.api import tasks as api_tasks
from taskito_dashboard.api import workflows as api_workflows
from taskito_dashboard.pages import (
    enqueue,
    export,
    failures,
    groups,
    job,
    jobs,
    operations,
    overview,
    queues,
    schedules,
    session,
    system,
    tasks,
    workers,
    workflows,
)
from taskito_dashboard.routing import Call, Table, reads

OVERVIEW = overview.OVERVIEW


def describe(call: Call) -> dict[str, object]:
    """The description of this API."""
    return openapi.described(TABLE.routes, root=call.root, version=__version__)


TABLE = Table(
    (
        *api_system.ROUTES,
        *api_jobs.ROUTES,
        *dead.ROUTES,
        *api_failures.ROUTES,
        *api_queues.ROUTES,
        *api_tasks.ROUTES,
        *api_rollups.ROUTES,
        *api_schedules.ROUTES,
        *api_operations.ROUTES,
        *api_workflows.ROUTES,
        reads("/api/v1/openapi.json", describe),
        *overview.ROUTES,
        *jobs.ROUTES,
        *job.ROUTES,
        *failures.ROUTES,
        *groups.ROUTES,
        *enqueue.ROUTES,
        *tasks.ROUTES,
        *workers.ROUTES,
        *queues.ROUTES,
        *schedules.ROUTES,
        *operations.ROUTES,
        *export.ROUTES,
        *workflows.ROUTES,
        *system.ROUTES,
        *session.ROUTES,
    )
)
