"""From the facts of a page to its HTML."""

import hashlib
from importlib.resources import files
from typing import Any

import jinja2
from werkzeug.wrappers import Request, Response

from taskito_dashboard import words
from taskito_dashboard.routing import address, place

THEMES = ("system", "light", "dark")
THEME_COOKIE = "taskito_dashboard_theme"
NAVIGATION = (
    ("overview", "Overview", (), "o"),
    ("jobs", "Jobs", ("jobs",), "j"),
    ("failures", "Failures", ("failures",), "f"),
    ("tasks", "Tasks", ("tasks",), "t"),
    ("queues", "Queues", ("queues",), "q"),
    ("schedules", "Schedules", ("schedules",), "s"),
    ("workflows", "Workflows", ("workflows",), "w"),
    ("workers", "Workers", ("workers",), "k"),
    ("system", "System", ("system",), "y"),
)
"""The entries: key, label, parts of the address, and what to type after ``g``."""
MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


class Pages:
    """The templates, and the files that pages load."""

    def __init__(self) -> None:
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("taskito_dashboard"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            count=words.count,
            duration=words.duration,
            iso=words.iso,
            size=words.size,
            last_line=words.last_line,
            short=words.short,
        )
        known: dict[str, Any] = {
            "state": words.state,
            "ago": words.ago,
            "percent": words.percent,
            "navigation": NAVIGATION,
        }
        self._templates.globals.update(known)
        static = files("taskito_dashboard") / "static"
        self.files = {entry.name: entry.read_bytes() for entry in static.iterdir()}
        self.version = digest(*(self.files[name] for name in sorted(self.files)))

    def render(self, request: Request, template: str, *, code: int = 200, **facts: Any) -> Response:
        """Return a page.

        Args:
            request: Whose answer it is.
            template: The file.
            code: The status of the answer.
            facts: What the template shows.
        """
        root = request.root_path.rstrip("/")

        def url(*parts: str, **given: object) -> str:
            return address(root, *parts, **given)

        def asset(name: str) -> str:
            return url("static", name, v=self.version)

        html = self._templates.get_template(template).render(
            **facts,
            url=url,
            asset=asset,
            theme=theme_of(request),
            here=place(request),
        )
        return Response(html, status=code, mimetype="text/html")


def theme_of(request: Request) -> str:
    """Return the theme that this browser has chosen."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "system"


def digest(*contents: bytes) -> str:
    """Return a short name for contents."""
    total = hashlib.sha256()
    for content in contents:
        total.update(content)
    return total.hexdigest()[:12]
