"""What the tests of the extension share."""

from pathlib import Path

from flask import Flask

from taskito import Queue
from tests.support.until import until
from tests.support.working import working

STARTING = 60
"""Seconds a process with Flask and SQLAlchemy gets to come up on a busy machine."""
FINISHED = {"complete", "dead", "cancelled"}


def make_app(tmp_path: Path, name: str = "app", /, **config: object) -> Flask:
    """An application with an instance folder and settings of its own."""
    app = Flask(name, instance_path=str(tmp_path / name))
    app.config.update(config)
    return app


def queue_of(app: Flask) -> Queue:
    queue: Queue = app.extensions["taskito"].queue
    return queue


def work_until(queue: Queue, *ids: str) -> None:
    """Run a worker in a thread until the jobs have ended."""

    def all_ended() -> bool:
        jobs = [queue.get_job(job_id) for job_id in ids]
        return all(job and job.status in FINISHED for job in jobs)

    with working(queue, workers=2):
        until(all_ended)
        queue.shutdown(wait=True)
