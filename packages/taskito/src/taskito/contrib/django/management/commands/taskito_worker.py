"""``manage.py taskito_worker``: run jobs until a signal."""

import argparse

from django.core.management.base import CommandError, CommandParser

from taskito.cli import _worker
from taskito.contrib.django.management._project import TaskitoCommand
from taskito.contrib.django.settings import get_queue
from taskito.queue import Queue


class Command(TaskitoCommand):
    """Runs the jobs of this project, those of the tasks backend too, until a signal.

    The first SIGINT or SIGTERM lets running jobs finish, the second hands them back at once.
    """

    help = "Run background jobs until a signal."
    register = staticmethod(_worker.register)

    def add_arguments(self, parser: CommandParser) -> None:
        """Take those of ``taskito worker``, and a backend with a database of its own."""
        super().add_arguments(parser)
        parser.add_argument(
            "--backend",
            metavar="ALIAS",
            help="run the jobs of this entry of TASKS, which has a db_path of its own",
        )

    def queue(self, args: argparse.Namespace) -> Queue:
        """Return the queue of the settings, or of a backend."""
        if args.backend is None:
            return get_queue()
        from taskito.contrib.django._interface import task_backends  # noqa: PLC0415
        from taskito.contrib.django.backend import TaskitoBackend  # noqa: PLC0415

        if args.backend not in task_backends.settings:
            names = ", ".join(task_backends.settings)
            raise CommandError(f"TASKS has no entry {args.backend!r}\nhint: it has: {names}")
        backend = task_backends[args.backend]
        if not isinstance(backend, TaskitoBackend):
            raise CommandError(f"TASKS[{args.backend!r}] is no TaskitoBackend")
        return backend.queue
