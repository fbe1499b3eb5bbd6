"""``OPTIONS`` of the tasks backend: which there are, and what they may be."""

import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from taskito._checks import count, duration


def check_options(alias: str, options: Mapping[str, Any]) -> None:
    """Refuse options that cannot work.

    Raises:
        ImproperlyConfigured: If there is one; the message names it.
    """
    for name, value in options.items():
        check = _CHECKS.get(name)
        if check is None:
            near = get_close_matches(name, _CHECKS, n=1)
            question = f"did you mean {near[0]!r}? " if near else ""
            message = f"unknown option {name!r} in OPTIONS of TASKS[{alias!r}]"
            raise ImproperlyConfigured(f"{message}\nhint: {question}Options: {', '.join(_CHECKS)}")
        try:
            check(f"{name} in OPTIONS of TASKS[{alias!r}]", value)
        except (TypeError, ValueError) as error:
            raise ImproperlyConfigured(str(error)) from error


def _optional(check: Callable[[str, object], object]) -> Callable[[str, object], object]:
    return lambda name, value: None if value is None else check(name, value)


def _path(name: str, value: object) -> None:
    if not isinstance(value, str | os.PathLike) or not os.fspath(value):
        raise TypeError(f"{name} must be the path of a file, got {value!r}")


def _truth(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")


CHECKS_OF_JOBS: Mapping[str, Callable[[str, object], object]] = {
    "max_retries": _optional(count),
    "timeout": _optional(duration),
    "result_ttl": _optional(duration),
}
"""What a single task may set as well."""
_CHECKS = {"db_path": _optional(_path), **CHECKS_OF_JOBS, "ENQUEUE_ON_COMMIT": _truth}
