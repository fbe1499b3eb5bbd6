"""One Django project for the tests of this process, on a fresh taskito database for each."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
import pytest
from django.conf import settings
from django.test import override_settings

from taskito import Queue
from taskito.testing._manual import ManualWorker, manual_worker
from tests.django.support import Project, open_project

_HOME = tempfile.TemporaryDirectory(prefix="taskito-django-")
if not settings.configured:
    os.environ["PROJECT_HOME"] = _HOME.name
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.django.project.settings"
    django.setup()
    # What other tests start is not to find them.
    del os.environ["PROJECT_HOME"], os.environ["DJANGO_SETTINGS_MODULE"]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    """The queue of the project on a database of the test's own, not opened yet."""
    from taskito.contrib.django.settings import get_queue

    with override_settings(TASKITO_DB_PATH=tmp_path / "jobs.db"):
        yield get_queue()


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    """A worker of that queue which runs jobs when it is told to."""
    with manual_worker(queue) as worker:
        yield worker


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A home of the project for real processes; what this process enqueues goes there too."""
    from taskito.contrib.django.settings import get_queue

    with (
        override_settings(TASKITO_DB_PATH=tmp_path / "taskito.db"),
        open_project(tmp_path, get_queue()) as project,
    ):
        yield project
