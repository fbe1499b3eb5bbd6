"""The application: what a project puts into ``INSTALLED_APPS``."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class TaskitoConfig(AppConfig):
    """Loads the tasks of all installed applications, and nothing else.

    It runs in every ``manage.py`` command and twice under ``runserver``, so it opens no
    database and starts no thread.
    """

    name = "taskito.contrib.django"
    label = "taskito"
    verbose_name = "Background jobs"

    def ready(self) -> None:
        """Import the ``tasks`` module of each installed application; register the checks."""
        import_module("taskito.contrib.django.checks")
        autodiscover_modules("tasks")
