"""What the commands share: the project's queue where the command line expects one."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from taskito.cli._console import Failure
from taskito.cli._context import Context
from taskito.cli._flags import Command as Run
from taskito.cli._flags import Register
from taskito.contrib.django.settings import get_queue
from taskito.exceptions import TaskitoError
from taskito.queue import Queue


class Project(Context):
    """The context of a command whose queue is that of the settings."""

    def __init__(self, args: argparse.Namespace, queue: Queue) -> None:
        """Work with ``queue``, which the command may close."""
        super().__init__(args)
        self._queue = queue

    def queue(self, *, app_needed: bool = False) -> Queue:
        """Return the queue of the project."""
        del app_needed
        return self._queue


class TaskitoCommand(BaseCommand):
    """A command of ``taskito`` as one of ``manage.py``."""

    register: Register
    """What adds the arguments and returns what runs."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the arguments of the command line, and nothing of ``--app`` and ``--db``."""
        parser.set_defaults(run=type(self).register(parser))

    def handle(self, *_: Any, **options: Any) -> None:
        """Run it; end with its exit status if that is not 0."""
        run: Run = options["run"]
        args = argparse.Namespace(**options)
        args.no_color = options.get("no_color", False)
        args.quiet = options.get("verbosity") == 0
        try:
            status = run(args, Project(args, self.queue(args)))
        except Failure as failure:
            raise _command_error(str(failure), failure.hint, failure.code) from failure
        except TaskitoError as error:
            message = str(error.args[0]) if error.args else ""
            raise _command_error(message, error.hint, 1) from error
        if status:
            raise SystemExit(status)

    def queue(self, args: argparse.Namespace) -> Queue:
        """Return a queue that the command may close: that of this process stays open."""
        del args
        queue = get_queue()
        twin = Queue(queue.db_path, serializer=queue.serializer)
        twin._tasks = queue._tasks  # noqa: SLF001 - of our own package
        return twin


def _command_error(message: str, hint: str | None, code: int) -> CommandError:
    return CommandError(f"{message}\nhint: {hint}" if hint else message, returncode=code)
