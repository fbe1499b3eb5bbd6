"""``flask taskito`` as a process of its own."""

import signal

import pytest

from tests.flask.support import STARTING
from tests.support.processes import Program, Site
from tests.support.until import until

pytestmark = pytest.mark.timeout(300)

SHOP = "tests.flask.programs.shop"


def settings(site: Site) -> dict[str, str]:
    return {
        "FLASK_TASKITO_DB_PATH": str(site.database),
        "FLASK_SQLALCHEMY_DATABASE_URI": f"sqlite:///{site.home}/shop.db",
        "SHOP_INSTANCE": str(site.home),
    }


def test_app_may_stand_before_and_after_the_command(site: Site) -> None:
    site.queue.enqueue("any")
    for argv in (
        ["--app", SHOP, "taskito", "info"],
        ["taskito", "info", "--app", f"{SHOP}:create_app()"],
    ):
        program = site.run("-m", "flask", *argv, env=settings(site))
        assert program.wait(STARTING) == 0
        assert "pending      1" in program.out


def test_an_app_that_is_not_there_is_a_usage_error(site: Site) -> None:
    program = site.run("-m", "flask", "--app", "nowhere", "taskito", "info")

    assert program.wait(STARTING) == 2
    assert "Could not import 'nowhere'" in program.err


def test_a_worker_drains_at_the_first_signal(site: Site) -> None:
    worker = site.run(
        *("-m", "flask", "--app", SHOP, "taskito", "worker", "--workers", "1"),
        env=settings(site),
    )
    until(lambda: site.status_of(worker) == "active", within=STARTING)
    worker.send(signal.SIGTERM)

    assert worker.wait(STARTING) == 0
    assert "tasks     4: " in worker.out
    assert "schedules 1: nightly" in worker.out


PROGRAM = """
import threading
from flask import Flask
from taskito import current_job
from taskito_flask import Taskito

app = Flask("left", instance_path={folder!r})
app.config.from_prefixed_env()
taskito = Taskito(app)


@taskito.task("leave")
def leave():
    threading.Thread(target=threading.Event().wait, daemon=False).start()


@taskito.task("stay")
def stay():
    current_job.update_progress(1)
    threading.Event().wait()
"""


def worker_of(site: Site) -> Program:
    """Start a worker of the program above, and wait until it is up."""
    program = site.home / "left.py"
    program.write_text(PROGRAM.format(folder=str(site.home)))
    argv = ("--app", str(program), "taskito", "worker", "--workers", "1")
    worker = site.run("-m", "flask", *argv, env=settings(site))
    until(lambda: site.status_of(worker) == "active", within=STARTING)
    return worker


def test_threads_that_a_task_left_do_not_keep_a_worker(site: Site) -> None:
    worker = worker_of(site)
    site.queue.enqueue("leave").result(timeout=STARTING)
    worker.send(signal.SIGINT)

    assert worker.wait(STARTING) == 0


def test_the_second_signal_is_the_exit_code(site: Site) -> None:
    worker = worker_of(site)
    job = site.queue.enqueue("stay")
    until(lambda: job.progress == 1, within=STARTING)
    worker.send(signal.SIGTERM)
    until(lambda: site.status_of(worker) == "draining", within=STARTING)
    worker.send(signal.SIGTERM)

    assert worker.wait(STARTING) == 128 + signal.SIGTERM
