"""The ``TASKITO_`` settings of an application, checked and typed."""

import logging
import math
import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, cast

from flask import Flask

from taskito import ConfigurationError

_logger = logging.getLogger("taskito_flask")
_PREFIX = "TASKITO_"


def queue_settings(app: Flask) -> dict[str, Any]:
    """Return the arguments of ``Queue`` that an application's settings stand for.

    A setting that is absent or ``None`` leaves the default of the queue. Text is read as
    the number it stands for, since environment variables are text. Unknown names with our
    prefix are logged as a warning.

    Raises:
        ConfigurationError: For a value that cannot work; the message names the setting.
    """
    _report_unknown(app)
    arguments: dict[str, Any] = {"db_path": Path(app.instance_path) / "taskito.db"}
    for name, (parameter, read) in _SETTINGS.items():
        value = app.config.get(name)
        if value is not None:
            arguments[parameter] = read(name, value)
    return arguments


def dashboard_settings(app: Flask) -> dict[str, str] | None:
    """Return the arguments of ``mount_dashboard`` in ``TASKITO_DASHBOARD``, if it is set.

    Raises:
        ConfigurationError: For something else than a mapping with the keys ``url_prefix``
            and ``authorize`` and text as values.
    """
    value: object = app.config.get(_DASHBOARD)
    if value is None:
        return None
    what = "a mapping with the keys 'url_prefix' and 'authorize', both text"
    if not isinstance(value, Mapping):
        raise _wrong(_DASHBOARD, what, value)
    given = dict(cast("Mapping[object, object]", value))
    found: dict[str, str] = {}
    for key, entry in given.items():
        if key not in ("url_prefix", "authorize") or not isinstance(entry, str):
            raise _wrong(_DASHBOARD, what, given)
        found[key] = entry
    return found


def _report_unknown(app: Flask) -> None:
    known = [name.removeprefix(_PREFIX) for name in (*_SETTINGS, _DASHBOARD)]
    names: list[str] = list(app.config)
    for name in names:
        key = name.removeprefix(_PREFIX)
        if key == name or key in known:
            continue
        near = get_close_matches(key, known, n=1)
        meant = f"did you mean {_PREFIX}{near[0]}?" if near else f"known are {', '.join(known)}"
        _logger.warning("setting %s is not known and changes nothing; %s", name, meant)


def _path(name: str, value: object) -> str:
    if value and isinstance(value, str | Path):
        return os.fspath(value)
    hint = "leave it out for taskito.db in the instance folder"
    raise _wrong(name, "the path of a file", value, hint=hint)


def _whole(name: str, value: object) -> int:
    number = _integer(value)
    if number is None or not 0 <= number < 2**31:
        raise _wrong(name, "a whole number from 0", value)
    return number


def _priority(name: str, value: object) -> int:
    number = _integer(value)
    if number is None or not -(2**31) <= number < 2**31:
        raise _wrong(name, "a whole number of 32 bits with sign", value)
    return number


def _seconds(name: str, value: object) -> float:
    number = value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = None
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _wrong(name, "a number of seconds from 0", value)
    if number < 0 or not math.isfinite(number):
        raise _wrong(name, "a number of seconds from 0", value)
    return number


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            return None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _wrong(name: str, what: str, value: object, *, hint: str | None = None) -> ConfigurationError:
    variable = f"set it in app.config, or as the variable FLASK_{name} of from_prefixed_env()"
    return ConfigurationError(f"{name} must be {what}, got {value!r}", hint=hint or variable)


_DASHBOARD = "TASKITO_DASHBOARD"
_SETTINGS: dict[str, tuple[str, Callable[[str, object], object]]] = {
    "TASKITO_DB_PATH": ("db_path", _path),
    "TASKITO_WORKERS": ("workers", _whole),
    "TASKITO_DEFAULT_RETRY": ("default_retry", _whole),
    "TASKITO_DEFAULT_TIMEOUT": ("default_timeout", _seconds),
    "TASKITO_DEFAULT_PRIORITY": ("default_priority", _priority),
    "TASKITO_RESULT_TTL": ("result_ttl", _seconds),
    "TASKITO_DRAIN_TIMEOUT": ("drain_timeout", _seconds),
}
"""Setting -> parameter of ``Queue``, and what reads its value."""
