"""Pages of the admin that show and repair the jobs of the project.

Call :func:`register_taskito_admin` in ``urls.py``, before ``admin.site.urls``, to add them to
the site that is there; or make :class:`TaskitoAdminSite` the ``default_site`` of an
``AdminConfig``.

No model stands behind them, so there are no tables, permission rows or fixtures.
"""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.urls import NoReverseMatch, URLPattern, path, reverse

from taskito.contrib.django._pages import Pages, may

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.urls import URLResolver

__all__ = ["TaskitoAdminSite", "register_taskito_admin"]


class TaskitoAdminSite(AdminSite):
    """An admin site with pages for jobs under ``taskito/``.

    Staff sees them; superusers act on them, or whoever ``TASKITO_AUTHORIZE`` lets.
    """

    def get_urls(self) -> "list[URLResolver | URLPattern]":
        """Return those of the pages, then those of the site."""
        return [*_urls(self), *super().get_urls()]

    def get_app_list(self, request: "HttpRequest", app_label: str | None = None) -> list[Any]:
        """Return the applications, and the pages as if they were one."""
        apps = super().get_app_list(request, app_label)
        return [*apps, *_entry(self, request, app_label)]


def register_taskito_admin(site: AdminSite | None = None) -> None:
    """Add the pages to a site, before its URLs are used. Again for the same site: no effect.

    Args:
        site: The site; ``None`` is ``django.contrib.admin.site``.
    """
    target = admin.site if site is None else site
    if isinstance(target, TaskitoAdminSite) or hasattr(target, _MARK):
        return
    get_urls, get_app_list = target.get_urls, target.get_app_list

    def with_pages() -> "list[URLResolver | URLPattern]":
        return [*_urls(target), *get_urls()]

    def with_entry(request: "HttpRequest", app_label: str | None = None) -> list[Any]:
        return [*get_app_list(request, app_label), *_entry(target, request, app_label)]

    # A site has no other way to get pages that belong to no model.
    for name, method in (("get_urls", with_pages), ("get_app_list", with_entry)):
        setattr(target, name, method)
    setattr(target, _MARK, True)


_MARK = "_taskito_pages"


def _urls(site: AdminSite) -> "list[URLPattern]":
    pages, wrap = Pages(site), site.admin_view
    return [
        path("taskito/", wrap(pages.overview), name="taskito_dashboard"),
        path("taskito/jobs/", wrap(pages.jobs), name="taskito_jobs"),
        path("taskito/jobs/<str:job_id>/", wrap(pages.job), name="taskito_job_detail"),
        path("taskito/dead-letters/", wrap(pages.dead_letters), name="taskito_dead_letters"),
    ]


def _entry(site: AdminSite, request: "HttpRequest", app_label: str | None) -> list[Any]:
    """Return what stands in the index and the side bar, for those who may see it."""
    if app_label is not None or not may(request, "view"):
        return []
    try:
        links = {
            name: reverse(f"{site.name}:{page}")
            for name, page in (
                ("Overview", "taskito_dashboard"),
                ("Jobs", "taskito_jobs"),
                ("Dead letters", "taskito_dead_letters"),
            )
        }
    except NoReverseMatch:  # the URLs of the site were used before the pages were added
        return []
    models = [
        {
            "name": name,
            "object_name": name.replace(" ", ""),
            "admin_url": link,
            "add_url": None,
            "view_only": True,
            "perms": {"view": True, "add": False, "change": False, "delete": False},
        }
        for name, link in links.items()
    ]
    return [
        {
            "name": "Background jobs",
            "app_label": "taskito",
            "app_url": links["Overview"],
            "has_module_perms": True,
            "models": models,
        }
    ]
