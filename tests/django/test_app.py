"""What being an installed application does: it loads tasks, and nothing else."""

from pathlib import Path

from tests.django.test_absence import run

STARTED = """
from django.conf import settings
settings.configure(INSTALLED_APPS=["taskito.contrib.django", "shop", "empty"])
import django, threading
django.setup()
from django.apps import apps
"""


def project(folder: Path) -> str:
    """Write two applications, one of them with tasks; return the code that starts Django."""
    for name in ("shop", "empty"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").touch()
    (folder / "shop" / "tasks.py").write_text(
        "from taskito.contrib.django.settings import get_queue\n"
        "@get_queue().task(name='pack')\n"
        "def pack(): ...\n"
    )
    return f"sys.path.insert(0, {str(folder)!r})\n{STARTED}"


def test_starting_django_imports_the_tasks_of_every_application(tmp_path: Path) -> None:
    code = project(tmp_path) + (
        "from taskito.contrib.django.settings import get_queue\n"
        "print(type(apps.get_app_config('taskito')).__name__, list(get_queue()._task_registry))"
    )
    done = run(code, tmp_path)

    assert (done.stdout, done.stderr) == ("TaskitoConfig ['pack']\n", "")


def test_it_opens_no_database_and_starts_no_thread(tmp_path: Path) -> None:
    code = project(tmp_path) + "print(threading.active_count(), 'taskito_core' in sys.modules)"
    before = {"shop", "empty"}
    done = run(code, tmp_path)

    assert (done.stdout, done.stderr) == ("1 False\n", "")
    assert {file.name for file in tmp_path.iterdir()} == before


def test_a_mistake_in_a_tasks_module_is_not_hidden(tmp_path: Path) -> None:
    code = project(tmp_path)
    (tmp_path / "empty" / "tasks.py").write_text("import no_such_module\n")
    done = run(code, tmp_path)

    assert "No module named 'no_such_module'" in done.stderr
    assert done.returncode == 1
