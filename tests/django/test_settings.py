"""``TASKITO_*`` settings, and what ``manage.py check`` says about them."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from taskito import Queue
from taskito.cli import _examine
from taskito.contrib.django import checks, settings
from taskito.contrib.django.settings import Settings, get_queue


def fresh() -> Queue:
    """A queue of the settings as they are now."""
    return settings._made(Settings.read().db_path)


class TestQueue:
    def test_there_is_one_for_each_process(self, queue: Queue) -> None:
        assert get_queue() is queue
        assert get_queue() is get_queue()

    def test_making_it_opens_nothing(self, tmp_path: Path) -> None:
        with override_settings(TASKITO_DB_PATH=tmp_path / "jobs.db"):
            fresh()

        assert list(tmp_path.iterdir()) == []

    def test_every_setting_reaches_it(self, tmp_path: Path) -> None:
        with override_settings(
            TASKITO_DB_PATH=tmp_path / "jobs.db",
            TASKITO_WORKERS=3,
            TASKITO_DEFAULT_RETRY=5,
            TASKITO_DEFAULT_TIMEOUT=7,
            TASKITO_DEFAULT_PRIORITY=9,
            TASKITO_RESULT_TTL=11,
            TASKITO_DRAIN_TIMEOUT=13,
            TASKITO_BACKEND="sqlite",
        ):
            queue = fresh()
        with queue:
            facts = queue.enqueue("anything").to_dict()

        assert queue.db_path == str(tmp_path / "jobs.db")
        assert (facts["max_retries"], facts["timeout_ms"], facts["priority"]) == (5, 7000, 9)
        assert (queue._threads, queue._result_ttl_ms, queue._drain_ms) == (3, 11_000, 13_000)

    def test_without_settings_it_has_the_defaults_of_a_queue(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("TASKITO_DB_PATH", raising=False)
        with override_settings():
            for name in settings.NAMES:
                if hasattr(project_settings, name):
                    delattr(project_settings, name)
            made, default = fresh(), Queue()

        assert made.db_path == default.db_path
        assert made._defaults == default._defaults
        assert (made._threads, made._drain_ms) == (default._threads, default._drain_ms)

    def test_the_variable_names_the_file_where_no_setting_does(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TASKITO_DB_PATH", "from-the-environment.db")
        with override_settings(TASKITO_DB_PATH=None):
            assert fresh().db_path == "from-the-environment.db"

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("TASKITO_BACKEND", "redis", r"TASKITO_BACKEND must be 'sqlite'(.|\n)*hint:"),
            ("TASKITO_DB_PATH", 3, r"TASKITO_DB_PATH must be the path(.|\n)*hint:"),
            ("TASKITO_DB_PATH", "", "TASKITO_DB_PATH must be the path"),
            ("TASKITO_WORKERS", -1, "TASKITO_WORKERS must be between 0"),
            ("TASKITO_WORKERS", "4", "TASKITO_WORKERS must be an integer, got '4'"),
            ("TASKITO_DEFAULT_RETRY", True, "TASKITO_DEFAULT_RETRY must be an integer"),
            ("TASKITO_DEFAULT_TIMEOUT", -1, "TASKITO_DEFAULT_TIMEOUT must not be negative"),
            ("TASKITO_DEFAULT_PRIORITY", 2**40, "TASKITO_DEFAULT_PRIORITY must be between"),
            ("TASKITO_RESULT_TTL", "1d", "TASKITO_RESULT_TTL must be seconds"),
            ("TASKITO_DRAIN_TIMEOUT", None, "TASKITO_DRAIN_TIMEOUT must be seconds"),
            ("TASKITO_AUTHORIZE", 3, r"TASKITO_AUTHORIZE must be a function(.|\n)*hint:"),
            ("TASKITO_AUTHORIZE", "no.such.thing", "No module named 'no'"),
        ],
    )
    def test_what_cannot_work_is_refused_by_name(self, name: str, value: Any, message: str) -> None:
        with (
            override_settings(**{name: value}),
            pytest.raises(ImproperlyConfigured, match=message),
        ):
            fresh()


class TestCheck:
    def test_the_project_is_in_order(self, queue: Queue) -> None:
        assert checks.check_taskito() == []
        assert not Path(queue.db_path).exists()

    def test_a_database_in_memory_has_no_place(self) -> None:
        with override_settings(TASKITO_DB_PATH=":memory:"):
            assert checks.check_taskito() == []

    def test_a_directory_that_cannot_be_written_is_an_error(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with override_settings(TASKITO_DB_PATH=tmp_path / "file" / "jobs.db"):
            [error] = checks.check_taskito()

        assert error.id == "taskito.E001"
        assert str(tmp_path / "file") in error.msg
        assert error.hint

    def test_a_directory_without_permission_is_an_error(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("taskito.contrib.django.checks.os.access", lambda *_: False)

        assert [error.id for error in checks.check_taskito()] == ["taskito.E001"]
        assert not Path(queue.db_path).exists()

    def test_a_network_file_system_is_an_error(
        self, queue: Queue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(_examine, "_file_system", lambda _file: "nfs4")

        [error] = checks.check_taskito()

        assert error.id == "taskito.E002"
        assert "nfs4" in error.msg
        assert queue.db_path in error.msg

    @pytest.mark.parametrize("kind", [str, Path])
    def test_a_file_that_django_uses_too_is_an_error(self, tmp_path: Path, kind: type) -> None:
        name = tmp_path / "shared.sqlite3"
        databases = {
            "default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shared.sqlite3"},
            "other": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": kind(name),
            },
        }
        (tmp_path / "folder").mkdir()
        with (
            override_settings(TASKITO_DB_PATH=tmp_path / "folder" / ".." / name.name),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(project_settings._wrapped, "DATABASES", databases, raising=False)
            [error] = checks.check_taskito()

        assert error.id == "taskito.E003"
        assert "DATABASES['other']" in error.msg

    def test_a_setting_that_cannot_work_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(checks, "get_queue", fresh)
        with override_settings(TASKITO_BACKEND="redis"):
            [error] = checks.check_taskito()

        assert error.id == "taskito.E004"
        assert "'redis'" in error.msg
        assert error.hint
        assert "hint" not in error.msg

    def test_a_backend_without_the_application_is_an_error(self) -> None:
        from taskito.contrib.django.backend import TaskitoBackend

        apps = [app for app in project_settings.INSTALLED_APPS if not app.startswith("taskito")]
        with override_settings(INSTALLED_APPS=apps):
            [error] = TaskitoBackend("default", {}).check()

        assert error.id == "taskito.E005"

    def test_a_setting_that_does_not_exist_is_a_warning(self, queue: Queue) -> None:
        with override_settings(TASKITO_WORKER=4):
            [warning] = checks.check_taskito()

        assert warning.id == "taskito.W001"
        assert "TASKITO_WORKER" in warning.msg
        assert "did you mean TASKITO_WORKERS?" in (warning.hint or "")
        assert queue.db_path
