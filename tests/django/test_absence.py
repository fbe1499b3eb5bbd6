"""What is said where Django, its tasks or a recent django-tasks is not installed."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

BLOCK = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {missing!r} or any(name.startswith(m + ".") for m in {missing!r}):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
"""


def run(code: str, folder: Path, *missing: str) -> "subprocess.CompletedProcess[str]":
    program = BLOCK.format(missing=list(missing)) + code
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )


def test_importing_taskito_loads_no_framework(tmp_path: Path) -> None:
    code = (
        "import taskito, taskito.cli, taskito.testing, taskito.contrib\n"
        "print({m.partition('.')[0] for m in sys.modules} & {'django', 'asgiref', 'django_tasks'})"
    )
    done = run(code, tmp_path)

    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.parametrize("module", ["", ".settings", ".backend", ".admin", ".apps"])
def test_without_django_the_extra_is_named(module: str, tmp_path: Path) -> None:
    done = run(f"import taskito.contrib.django{module}", tmp_path, "django")

    assert "ImportError: taskito.contrib.django needs Django" in done.stderr
    assert done.stderr.rstrip().endswith("hint: pip install 'taskito[django]'")


CONFIGURE = (
    "from django.conf import settings\n"
    "settings.configure(INSTALLED_APPS=['taskito.contrib.django'])\n"
    "import django; django.setup()\n"
)


def test_without_any_tasks_framework_the_backend_says_what_to_install(tmp_path: Path) -> None:
    code = CONFIGURE + "import taskito.contrib.django.backend"
    done = run(code, tmp_path, "django.tasks", "django_tasks")

    assert "ImportError: this Django has no tasks" in done.stderr
    assert "hint: pip install 'django-tasks>=0.12'" in done.stderr


def test_the_rest_works_without_any_tasks_framework(tmp_path: Path) -> None:
    code = (
        CONFIGURE + "from taskito.contrib.django.settings import get_queue\n"
        "import taskito.contrib.django.checks\n"
        "print(get_queue().enqueue('anything').status)"
    )
    done = run(code, tmp_path, "django.tasks", "django_tasks")

    assert (done.stdout, done.stderr) == ("pending\n", "")


def test_the_backend_is_one_of_the_framework_that_is_there(tmp_path: Path) -> None:
    """Tried as installed: where Django has tasks, the package django-tasks cannot do without."""
    code = CONFIGURE + (
        "from taskito.contrib.django.backend import TaskitoBackend\n"
        "print(TaskitoBackend.__base__.__module__, TaskitoBackend('default', {}).supports_defer)"
    )
    done = run(code, tmp_path)

    wanted = "django.tasks" if importlib.util.find_spec("django.tasks") else "django_tasks"
    assert (done.stdout, done.stderr) == (f"{wanted}.backends.base True\n", "")


def test_an_old_django_tasks_is_refused(tmp_path: Path) -> None:
    old = tmp_path / "django_tasks"
    (old / "backends").mkdir(parents=True)
    (old / "__init__.py").write_text("task_backends = None\n")
    (old / "backends" / "__init__.py").touch()
    (old / "backends" / "base.py").write_text("class BaseTaskBackend: ...\n")
    names = "Task TaskContext TaskError TaskResult TaskResultStatus"
    (old / "base.py").write_text("".join(f"class {name}: ...\n" for name in names.split()))
    names = "InvalidTaskError TaskResultDoesNotExist TaskResultMismatch"
    (old / "exceptions.py").write_text("".join(f"class {name}: ...\n" for name in names.split()))
    (old / "signals.py").write_text("task_enqueued = task_finished = task_started = None\n")
    (old / "utils.py").write_text("normalize_json = None\n")
    code = f"sys.path.insert(0, {str(tmp_path)!r})\n" + CONFIGURE
    done = run(code + "import taskito.contrib.django.backend", tmp_path, "django.tasks")

    assert "ImportError: the installed django-tasks is older than 0.12" in done.stderr
