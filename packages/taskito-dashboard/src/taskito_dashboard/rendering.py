"""From the facts of a page to its HTML."""

import hashlib
from datetime import UTC, datetime, tzinfo
from functools import lru_cache, partial
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import jinja2
from werkzeug.wrappers import Request, Response

from taskito.exceptions import ConfigurationError
from taskito_dashboard import words
from taskito_dashboard.rollups import bars
from taskito_dashboard.routing import address, place

THEMES = ("system", "light", "dark")
THEME_COOKIE = "taskito_dashboard_theme"
ZONE_COOKIE = "taskito_dashboard_zone"
TIMES = ("relative", "absolute")
TIMES_COOKIE = "taskito_dashboard_times"
COLUMNS = ("id", "queue", "tries", "wait", "run", "enqueued", "error")
"""The columns of a list of jobs that can be hidden."""
COLUMNS_COOKIE = "taskito_dashboard_hidden"
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
KEYBOARD = (
    ("/", "find"),
    (f"g, then {' '.join(entry[3] for entry in NAVIGATION)}", "go to a page"),
    ("Ctrl K", "go anywhere"),
    ("j k", "next, previous row"),
    ("x", "tick the row"),
    ("Enter", "open the row"),
    ("r", "retry"),
    ("c", "cancel"),
    ("e", "show or hide the error"),
    ("[ ]", "newest, older"),
    (".", "pause, go on"),
    ("t", "next theme"),
    ("z", "UTC or local times"),
    ("?", "these keys"),
)
"""What the dialog of keys says."""
ZONES_KEPT = 8
"""The compiled templates are kept of so many zones and ways to tell times; beyond that they are
compiled anew."""
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
            machine=words.machine,
            size=words.size,
            last_line=words.last_line,
            short=words.short,
        )
        known: dict[str, Any] = {
            "state": words.state,
            "ago": words.ago,
            "percent": words.percent,
            "call_line": words.call_line,
            "bars": bars,
            "navigation": NAVIGATION,
            "keyboard": KEYBOARD,
        }
        self._templates.globals.update(known)
        self._in_zone = lru_cache(ZONES_KEPT)(self._made_for)
        self.files = _files()
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

        zone, times = zone_of(request), times_of(request)
        facts |= {"theme": theme_of(request), "zone": zone, "times": times, "here": place(request)}
        html = (
            self._in_zone(zone, times).get_template(template).render(**facts, url=url, asset=asset)
        )
        return Response(html, status=code, mimetype="text/html")

    def _made_for(self, zone: str, times: str) -> jinja2.Environment:
        """Return the templates with the times of a zone, told as ages or as instants."""
        made, known = self._templates.overlay(), zone_named(zone) or UTC
        made.filters = {**self._templates.filters, "iso": partial(words.iso, zone=known)}
        if times == "absolute":
            made.globals = {**self._templates.globals, "ago": partial(words.clock, zone=known)}
        return made


def _files() -> dict[str, bytes]:
    """Return what pages load: our files, and those of other projects in ``vendor``.

    Raises:
        ConfigurationError: The package was not built, so what others made is not there.
    """
    static = files("taskito_dashboard") / "static"
    vendor = static / "vendor"
    if not vendor.is_dir():
        raise ConfigurationError(
            f"the dashboard has no folder {vendor}",
            hint="building the package makes it: pip install -e packages/taskito-dashboard",
        )
    found = [entry for folder in (static, vendor) for entry in folder.iterdir()]
    return {file.name: file.read_bytes() for file in found if _ending(file.name) in MEDIA}


def _ending(name: str) -> str:
    return name.rpartition(".")[2]


def media_of(name: str) -> str:
    """Return the media type of a file by its ending."""
    return MEDIA.get(_ending(name), "application/octet-stream")


def theme_of(request: Request) -> str:
    """Return the theme that this browser has chosen."""
    chosen = request.cookies.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "system"


def zone_of(request: Request) -> str:
    """Return the time zone that this browser has chosen; UTC if it is unknown here."""
    chosen = request.cookies.get(ZONE_COOKIE, "")
    return "UTC" if zone_named(chosen) is None else chosen


def times_of(request: Request) -> str:
    """Return how this browser wants instants told: ``relative`` to now, or ``absolute``."""
    chosen = request.cookies.get(TIMES_COOKIE, "")
    return chosen if chosen in TIMES else "relative"


def hidden_of(request: Request) -> str:
    """Return the columns that this browser hides in lists of jobs, with dots between."""
    chosen = request.cookies.get(COLUMNS_COOKIE, "").split(".")
    return ".".join(name for name in COLUMNS if name in chosen)


@lru_cache(maxsize=512)
def zone_named(name: str) -> tzinfo | None:
    """Return a time zone by its name, ``None`` if this machine does not know it."""
    if name == "UTC":
        # Some machines have no zones at all.
        return UTC
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        return None


def midnight(now: int, zone: str) -> int:
    """Return when the day began in a zone, in ms."""
    moment = datetime.fromtimestamp(now / 1000, zone_named(zone) or UTC)
    return int(moment.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)


def digest(*contents: bytes) -> str:
    """Return a short name for contents."""
    total = hashlib.sha256()
    for content in contents:
        total.update(content)
    return total.hexdigest()[:12]
