"""A receiver that uses the ORM, as receivers of applications do."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection
from django.dispatch import receiver

from tests.django.project.tasks_api import task_finished

if TYPE_CHECKING:
    from tests.django.project.tasks_api import AnyResult


@receiver(task_finished)
def note(task_result: "AnyResult", **_: object) -> None:
    """Leave a file that says how a task ended, once the database has answered."""
    connection.introspection.table_names()
    error = sys.exc_info()[0]
    said = f"{task_result.status} {error.__name__ if error else None}"
    folder = os.environ.get("PROJECT_HOME")
    if folder:
        Path(folder, f"told.{task_result.id}").write_text(said)
