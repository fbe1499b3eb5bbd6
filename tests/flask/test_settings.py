"""The ``TASKITO_`` settings of an application."""

import logging
from pathlib import Path
from typing import Any

import pytest

from taskito import ConfigurationError
from taskito_flask import Taskito
from taskito_flask.settings import queue_settings
from tests.flask.support import make_app, queue_of

VALUES = {
    "TASKITO_WORKERS": ("workers", 2),
    "TASKITO_DEFAULT_RETRY": ("default_retry", 7),
    "TASKITO_DEFAULT_TIMEOUT": ("default_timeout", 1.5),
    "TASKITO_DEFAULT_PRIORITY": ("default_priority", -3),
    "TASKITO_RESULT_TTL": ("result_ttl", 3600),
    "TASKITO_DRAIN_TIMEOUT": ("drain_timeout", 0.25),
}


def test_the_database_is_in_the_instance_folder_unless_set(
    tmp_path: Path, taskito: Taskito
) -> None:
    default = make_app(tmp_path, "default")
    configured = make_app(tmp_path, TASKITO_DB_PATH=str(tmp_path / "elsewhere.db"))

    for app in (default, configured):
        taskito.init_app(app)

    assert queue_of(default).db_path == str(tmp_path / "default/taskito.db")
    assert queue_of(configured).db_path == str(tmp_path / "elsewhere.db")


@pytest.mark.parametrize("spelt", [lambda value: value, str], ids=["number", "text"])
def test_each_reaches_its_parameter_of_the_queue(tmp_path: Path, spelt: Any) -> None:
    config = {name: spelt(value) for name, (_, value) in VALUES.items()}
    app = make_app(tmp_path, "app", **config)

    path = Path(app.instance_path) / "taskito.db"
    assert queue_settings(app) == {"db_path": path, **dict(VALUES.values())}


def test_they_have_their_effect(tmp_path: Path, taskito: Taskito) -> None:
    @taskito.task
    def work() -> None: ...

    app = make_app(tmp_path, "app", **{name: value for name, (_, value) in VALUES.items()})
    taskito.init_app(app)
    with queue_of(app):
        row = work.delay().to_dict()
        assert (row["max_retries"], row["timeout_ms"], row["priority"]) == (7, 1500, -3)


def test_variables_of_the_environment_set_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, (_, value) in VALUES.items():
        monkeypatch.setenv(f"FLASK_{name}", str(value))
    monkeypatch.setenv("FLASK_TASKITO_DB_PATH", "jobs.db")
    app = make_app(tmp_path)
    app.config.from_prefixed_env()

    assert queue_settings(app) == {"db_path": "jobs.db", **dict(VALUES.values())}


def test_none_leaves_the_default(tmp_path: Path) -> None:
    app = make_app(
        tmp_path, "app", **dict.fromkeys([*VALUES, "TASKITO_DB_PATH", "TASKITO_DASHBOARD"])
    )

    assert set(queue_settings(app)) == {"db_path"}


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("TASKITO_WORKERS", "many", "a whole number from 0, got 'many'"),
        ("TASKITO_WORKERS", -1, "a whole number from 0, got -1"),
        ("TASKITO_WORKERS", True, "a whole number from 0, got True"),
        ("TASKITO_WORKERS", 1.5, r"a whole number from 0, got 1\.5"),
        ("TASKITO_DEFAULT_RETRY", "-1", "a whole number from 0, got '-1'"),
        ("TASKITO_DEFAULT_PRIORITY", 2**31, "a whole number of 32 bits with sign, got 2147483648"),
        ("TASKITO_DEFAULT_TIMEOUT", "soon", "a number of seconds from 0, got 'soon'"),
        ("TASKITO_DEFAULT_TIMEOUT", "nan", "a number of seconds from 0, got 'nan'"),
        ("TASKITO_RESULT_TTL", -5, "a number of seconds from 0, got -5"),
        ("TASKITO_DRAIN_TIMEOUT", False, "a number of seconds from 0, got False"),
        ("TASKITO_DRAIN_TIMEOUT", [], r"a number of seconds from 0, got \[\]"),
        ("TASKITO_DB_PATH", 7, "the path of a file, got 7"),
        ("TASKITO_DB_PATH", "", "the path of a file, got ''"),
        ("TASKITO_DASHBOARD", "/taskito", "a mapping with the keys .* got '/taskito'"),
        ("TASKITO_DASHBOARD", {"prefix": "/a"}, "a mapping with the keys .* got {'prefix': '/a'}"),
        ("TASKITO_DASHBOARD", {"authorize": 7}, "a mapping with the keys .* got {'authorize': 7}"),
    ],
)
def test_a_value_that_cannot_work_is_named(
    tmp_path: Path, taskito: Taskito, name: str, value: object, what: str
) -> None:
    app = make_app(tmp_path, "app", **{name: value})

    with pytest.raises(ConfigurationError, match=rf"{name} must be {what}\n?(.|\n)*hint: "):
        taskito.init_app(app)
    assert "taskito" not in app.extensions


def test_an_unknown_name_is_a_warning_that_changes_nothing(
    tmp_path: Path, taskito: Taskito, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(tmp_path, TASKITO_WORKER=2, TASKITO_COLOUR="red", COLOUR="red")

    taskito.init_app(app)

    warned = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == 2
    assert (
        "TASKITO_WORKER is not known and changes nothing; did you mean TASKITO_WORKERS?"
        in (warned[0])
    )
    assert "TASKITO_COLOUR is not known" in warned[1]
    assert "DRAIN_TIMEOUT" in warned[1]
