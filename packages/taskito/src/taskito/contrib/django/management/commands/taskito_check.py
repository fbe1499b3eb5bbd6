"""``manage.py taskito_check``: whether what waits fits the program's tasks."""

from taskito.cli import _operate
from taskito.contrib.django.management._project import TaskitoCommand


class Command(TaskitoCommand):
    """Compares pending jobs and schedules with the tasks of this project; 1 if some cannot run."""

    help = "Check that the jobs that wait can run: their tasks exist and take their arguments."
    register = staticmethod(_operate.register_check)
