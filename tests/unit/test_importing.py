"""What ``import taskito`` costs, and how the engine is found."""

import importlib
import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import taskito

PACKAGE = Path(__file__).parents[2] / "packages" / "taskito"


def run(code: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class TestImport:
    def test_loads_neither_engine_nor_cloudpickle_and_touches_no_file(self, tmp_path: Path) -> None:
        code = (
            "import sys, taskito, taskito.cli\n"
            "queue = taskito.Queue()\n"
            "@queue.task\n"
            "def f(): ...\n"
            "print({m.partition('.')[0] for m in sys.modules}"
            " & {'taskito_core', 'cloudpickle', 'asyncio', 'argparse', 'json', 'sqlite3',"
            " 'orjson', 'hmac'})"
        )
        assert run(code, tmp_path) == "set()\n"
        assert list(tmp_path.iterdir()) == []

    def test_plain_arguments_need_no_cloudpickle(self, tmp_path: Path) -> None:
        code = (
            "import sys, taskito\n"
            "taskito.Queue(':memory:').enqueue('t', [1, 'a'], {'k': {'x': None}})\n"
            "print('cloudpickle' in sys.modules)"
        )
        assert run(code, tmp_path) == "False\n"

    def test_an_engine_of_another_version_is_refused_at_first_use(self, tmp_path: Path) -> None:
        (tmp_path / "taskito_core.py").write_text("__version__ = '9.9.9'\n")
        code = (
            "import taskito\n"
            "queue = taskito.Queue()\n"
            "for _ in range(2):\n"
            "    try: queue.stats()\n"
            "    except ImportError as error: print(error)"
        )
        own = taskito.__version__
        assert run(code, tmp_path) == 2 * (
            f"taskito {own} needs taskito-core {own}, found taskito-core 9.9.9\n"
            f"hint: pip install taskito=={own} taskito-core=={own}\n"
        )


class TestVersion:
    def test_is_that_of_the_distribution(self) -> None:
        assert taskito.__version__ == importlib.metadata.version("taskito")

    def test_the_engine_is_pinned_to_it(self) -> None:
        project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
        assert f"taskito-core=={taskito.__version__}" in project["dependencies"]


def test_everything_in_all_exists() -> None:
    assert all(hasattr(taskito, name) for name in taskito.__all__)
    assert len(set(taskito.__all__)) == len(taskito.__all__)


def test_the_page_is_a_package_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "taskito.dashboard", raising=False)
    monkeypatch.setitem(sys.modules, "taskito_dashboard", None)
    with pytest.raises(ImportError, match=r"hint: pip install 'taskito\[dashboard\]'"):
        importlib.import_module("taskito.dashboard")
