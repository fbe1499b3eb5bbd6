"""The views behind the admin pages: what is shown, and what a button does."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from taskito.contrib.django._present import described, listed, shown_letter
from taskito.contrib.django._results import job_of
from taskito.contrib.django._revive import retry
from taskito.contrib.django.settings import Settings, get_queue
from taskito.exceptions import TaskitoError

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.http import HttpRequest

    from taskito.queue import Queue

STATUSES = ("pending", "running", "complete", "dead", "cancelled")
PAGE = 50
_FILTERS = ("status", "queue", "task")

View = Callable[..., HttpResponse]


def may(request: "HttpRequest", action: str) -> bool:
    """Return whether a user may ``"view"`` the pages or ``"act"`` on jobs.

    ``TASKITO_AUTHORIZE`` decides; without it staff sees and superusers act.
    """
    authorize = Settings.read().authorize
    if authorize is not None:
        return bool(authorize(request, action))
    user: Any = request.user
    return bool(user.is_superuser if action == "act" else user.is_staff)


def guarded(view: View) -> View:
    """Let those see a page who may, and show what is wrong with a database as a page."""

    @wraps(view)
    def guard(pages: "Pages", request: "HttpRequest", **given: str) -> HttpResponse:
        if not may(request, "view"):
            raise PermissionDenied
        if request.method == "POST" and not may(request, "act"):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD", "POST"}:
            return HttpResponseNotAllowed(["GET", "HEAD", "POST"])
        try:
            return view(pages, request, **given)
        except TaskitoError as error:
            problem = {"problem": str(error.args[0]) if error.args else "", "hint": error.hint}
            return pages.page(request, "unavailable", "Database unavailable", problem, status=503)

    return guard


class Pages:
    """The pages of one admin site."""

    def __init__(self, site: "AdminSite") -> None:
        """Belong to ``site``."""
        self._site = site

    @guarded
    def overview(self, request: "HttpRequest") -> HttpResponse:
        """Show how many jobs stand where, the queues, and the workers."""
        queue = get_queue()
        facts = {
            "stats": queue.stats(),
            "queues": queue.list_queues(),
            "workers": listed(queue.workers(), "last_heartbeat", "started_at"),
        }
        return self.page(request, "overview", "Background jobs", facts)

    @guarded
    def jobs(self, request: "HttpRequest") -> HttpResponse:
        """List jobs, newest first, a page at a time."""
        given = {name: request.GET[name] for name in _FILTERS if request.GET.get(name)}
        cursor = request.GET.get("cursor") or None
        facts: dict[str, Any] = {"filters": given, "statuses": STATUSES, "is_later": bool(cursor)}
        try:
            page = get_queue().list_jobs(
                given.get("status"), given.get("queue"), given.get("task"), PAGE, cursor=cursor
            )
        except ValueError as error:
            messages.error(request, str(error).partition("\nhint: ")[0])
            return self.page(request, "jobs", "Jobs", {**facts, "jobs": []}, status=400)
        facts["jobs"] = listed([job.to_dict() for job in page], "created_at", "completed_at")
        facts["next"] = page.next_cursor and urlencode({**given, "cursor": page.next_cursor})
        return self.page(request, "jobs", "Jobs", facts)

    @guarded
    def job(self, request: "HttpRequest", job_id: str) -> HttpResponse:
        """Show one job; ``action`` is ``retry`` or ``cancel``."""
        queue = get_queue()
        with queue._database as store:  # noqa: SLF001 - of our own package
            row = job_of(store, job_id)
        if row is None:
            raise Http404(f"there is no job {job_id}")
        if request.method == "POST":
            return self._job_action(request, queue, row.id)
        return self.page(request, "job", f"Job {row.id}", described(queue, row))

    @guarded
    def dead_letters(self, request: "HttpRequest") -> HttpResponse:
        """List dead letters, newest first; ``action`` is ``retry`` or ``delete`` of ``id``."""
        queue = get_queue()
        if request.method == "POST":
            return self._letter_action(request, queue)
        cursor = request.GET.get("cursor") or None
        try:
            page = queue.dead_letters(PAGE, cursor=cursor)
        except ValueError as error:
            messages.error(request, str(error).partition("\nhint: ")[0])
            return self.page(request, "dead_letters", "Dead letters", {"letters": []}, status=400)
        facts = {
            "letters": [shown_letter(letter) for letter in page],
            "next": page.next_cursor and urlencode({"cursor": page.next_cursor}),
            "is_later": bool(cursor),
        }
        return self.page(request, "dead_letters", "Dead letters", facts)

    def page(
        self,
        request: "HttpRequest",
        name: str,
        title: str,
        facts: dict[str, Any],
        *,
        status: int = 200,
    ) -> HttpResponse:
        """Render a page of the site."""
        context = {
            **self._site.each_context(request),
            "title": title,
            "may_act": may(request, "act"),
            "links": {
                "index": self._link("index"),
                "dashboard": self._link("taskito_dashboard"),
                "jobs": self._link("taskito_jobs"),
                "dead_letters": self._link("taskito_dead_letters"),
            },
            **facts,
        }
        request.current_app = self._site.name
        return TemplateResponse(request, f"taskito/admin/{name}.html", context, status=status)

    def _job_action(self, request: "HttpRequest", queue: "Queue", job_id: str) -> HttpResponse:
        shown = job_id
        match request.POST.get("action"):
            case "retry":
                new = retry(queue, job_id)
                if new is None:
                    messages.error(request, "Only finished jobs can be retried.")
                else:
                    shown = new
                    messages.success(request, f"Stored again as job {new}.")
            case "cancel":
                job = queue.get_job(job_id)
                if job is not None and job.cancel():
                    messages.success(request, "Cancelled, or asked to cancel if it was running.")
                else:
                    messages.error(request, "The job had ended already.")
            case other:
                messages.error(request, f"There is no action {other!r} for jobs.")
        return HttpResponseRedirect(self._link("taskito_job_detail", shown))

    def _letter_action(self, request: "HttpRequest", queue: "Queue") -> HttpResponse:
        letter = request.POST.get("id", "")
        match request.POST.get("action"):
            case "retry":
                try:
                    messages.success(request, f"Stored again as job {queue.retry_dead(letter)}.")
                except LookupError:
                    messages.error(request, "The dead letter was gone already.")
            case "delete":
                if queue.delete_dead(letter):
                    messages.success(request, "Deleted the dead letter; its job stays dead.")
                else:
                    messages.error(request, "The dead letter was gone already.")
            case other:
                messages.error(request, f"There is no action {other!r} for dead letters.")
        return HttpResponseRedirect(self._link("taskito_dead_letters"))

    def _link(self, name: str, *args: str) -> str:
        return reverse(f"{self._site.name}:{name}", args=args)
