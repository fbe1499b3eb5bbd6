"""The ``TASKITO_*`` settings, and the queue of this process that they describe."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.utils.module_loading import import_string

from taskito._checks import count, duration, int32
from taskito.contrib.django._connections import ConnectionCare
from taskito.contrib.django._json import MixedSerializer
from taskito.queue import Queue

if TYPE_CHECKING:
    from django.http import HttpRequest

    from taskito._checks import Seconds

__all__ = ["Settings", "get_queue"]

PREFIX = "TASKITO_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a project has set, checked. Each field is the setting ``TASKITO_`` + its name.

    Attributes:
        db_path: The database file; ``None`` means the variable ``TASKITO_DB_PATH``, else
            ``.taskito/taskito.db`` in the current directory.
        workers: Threads of a worker; 0 is one for every CPU.
        default_retry: Retries of jobs that set none.
        default_timeout: Seconds one attempt of them may take; 0 is no limit.
        default_priority: Their priority; higher runs first.
        result_ttl: Seconds for which finished jobs are kept; ``None`` is for ever.
        drain_timeout: Seconds that running jobs get to finish when a worker ends.
        authorize: Who may do what in the admin: ``(request, action) -> bool``.
        backend: The kind of database: ``"sqlite"``.
    """

    db_path: str | os.PathLike[str] | None = None
    workers: int = 0
    default_retry: int = 3
    default_timeout: "Seconds" = 300
    default_priority: int = 0
    result_ttl: "Seconds | None" = None
    drain_timeout: "Seconds" = 30
    authorize: "Callable[[HttpRequest, str], bool] | None" = None
    backend: str = "sqlite"

    @staticmethod
    def read() -> "Settings":
        """Return the settings of the project.

        Raises:
            ImproperlyConfigured: For a value that cannot work; the message names the setting.
        """
        found: dict[str, Any] = {}
        for field, check in _CHECKS.items():
            name = PREFIX + field.upper()
            if hasattr(settings, name):
                value = getattr(settings, name)
                try:
                    check(name, value)
                except (TypeError, ValueError, ImportError) as error:
                    raise ImproperlyConfigured(str(error)) from error
                found[field] = value
        if isinstance(found.get("authorize"), str):
            found["authorize"] = import_string(found["authorize"])
        return Settings(**found)


def get_queue() -> Queue:
    """Return the queue of this process, always the same object.

    Making it opens no file. Tasks may be registered with it at import time, and it may be
    used after ``fork()``. Put ``@get_queue().task`` on functions in ``tasks.py``.

    Raises:
        ImproperlyConfigured: For a ``TASKITO_*`` setting that cannot work.
    """
    return _QUEUES.get(None) or _QUEUES.setdefault(None, _made(Settings.read().db_path))


def queue_at(path: str) -> Queue:
    """Return the queue of this process on another database file."""
    return _QUEUES.get(path) or _QUEUES.setdefault(path, _made(path))


# By their own paths; that of the settings has none. Of two racing threads both get the first
# one's: setdefault is atomic.
_QUEUES: dict[str | None, Queue] = {}


def _made(path: str | os.PathLike[str] | None) -> Queue:
    chosen = Settings.read()
    return Queue(
        path,
        workers=chosen.workers,
        default_retry=chosen.default_retry,
        default_timeout=chosen.default_timeout,
        default_priority=chosen.default_priority,
        result_ttl=chosen.result_ttl,
        drain_timeout=chosen.drain_timeout,
        serializer=MixedSerializer(),
        middleware=[ConnectionCare()],
    )


@receiver(setting_changed)
def _follow(*, setting: str, **_: object) -> None:
    """Use another file when a test overrides the setting; tasks stay registered."""
    queue = _QUEUES.get(None)
    if setting == "TASKITO_DB_PATH" and queue is not None:
        with suppress(ImproperlyConfigured):
            queue._database.move(Queue(Settings.read().db_path).db_path)  # noqa: SLF001 - our own


def _path(name: str, value: object) -> None:
    if value is not None and not (isinstance(value, str | os.PathLike) and os.fspath(value)):
        message = f"{name} must be the path of a file, or None, got {value!r}"
        raise TypeError(f"{message}\nhint: write {name} = BASE_DIR / 'taskito.db'")


def _optional_duration(name: str, value: object) -> None:
    if value is not None:
        duration(name, value)


def _authorize(name: str, value: object) -> None:
    if value is None:
        return
    found: object = import_string(value) if isinstance(value, str) else value
    if not callable(found):
        message = f"{name} must be a function (request, action) -> bool, or its dotted path"
        raise TypeError(f"{message}, got {value!r}\nhint: leave it out: superusers act, staff sees")


def _backend(name: str, value: object) -> None:
    if value != "sqlite":
        message = f"{name} must be 'sqlite', got {value!r}"
        raise ValueError(f"{message}\nhint: leave it out; there is no other kind of database")


_CHECKS: Mapping[str, Callable[[str, object], object]] = {
    "db_path": _path,
    "workers": count,
    "default_retry": count,
    "default_timeout": duration,
    "default_priority": int32,
    "result_ttl": _optional_duration,
    "drain_timeout": duration,
    "authorize": _authorize,
    "backend": _backend,
}
NAMES = tuple(PREFIX + field.upper() for field in _CHECKS)
