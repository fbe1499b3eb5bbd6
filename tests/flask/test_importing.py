"""What an import costs, and what it says if something is missing."""

import importlib
import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

import taskito_flask


def modules_after(code: str, cwd: Path) -> set[str]:
    """Names of all modules that are loaded after some code in a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_taskito_loads_no_framework(tmp_path: Path) -> None:
    loaded = modules_after("import taskito, taskito.cli, taskito.contrib", tmp_path)

    assert not {"flask", "werkzeug", "click", "taskito_flask", "taskito_dashboard"} & loaded


def test_an_application_loads_neither_engine_nor_page_nor_commands(tmp_path: Path) -> None:
    code = (
        "from flask import Flask\n"
        "from taskito_flask import Taskito\n"
        "taskito = Taskito()\n"
        "@taskito.task\n"
        "def work(): ...\n"
        "@taskito.before_task\n"
        "def hear(*_): ...\n"
        f"app = Flask('app', instance_path={str(tmp_path / 'instance')!r})\n"
        "taskito.init_app(app)\n"
    )
    loaded = modules_after(code, tmp_path)

    assert "taskito_flask" in loaded
    assert not {"taskito_core", "taskito_dashboard", "taskito.cli._run"} & loaded
    assert list(tmp_path.iterdir()) == []


def test_the_documented_name_is_the_same_class() -> None:
    assert importlib.import_module("taskito.contrib.flask").Taskito is taskito_flask.Taskito


@pytest.mark.parametrize("missing", ["taskito_flask", "flask"])
def test_without_the_package_it_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == "taskito_flask" or name == "taskito.contrib.flask":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ImportError, match=r"hint: pip install 'taskito\[flask\]'"):
        importlib.import_module("taskito.contrib.flask")


def test_the_version_is_that_of_the_distribution() -> None:
    assert taskito_flask.__version__ == importlib.metadata.version("taskito-flask")


def test_flask_finds_the_command() -> None:
    found = importlib.metadata.entry_points(group="flask.commands", name="taskito")

    assert {entry.value for entry in found} == {"taskito_flask.cli:cli"}
