"""An empty queue for a test of Django's runner."""

import tempfile
from pathlib import Path
from unittest import TestCase

from taskito.contrib.django.settings import get_queue


def empty_queue(case: TestCase) -> None:
    """Let the queue of the project use a new file until the test ends."""
    queue = get_queue()
    before, folder = queue.db_path, tempfile.TemporaryDirectory(prefix="taskito-django-")
    queue._database.move(str(Path(folder.name) / "jobs.db"))
    case.addCleanup(folder.cleanup)
    case.addCleanup(queue._database.move, before)
