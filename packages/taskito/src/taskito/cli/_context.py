"""From ``--app`` and ``--db`` to a queue."""

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self

from taskito.cli._console import NOT_FOUND, Console, Failure
from taskito.job import JobResult
from taskito.queue import Queue

_EXAMPLE = "write --app myapp:queue for the variable 'queue' in myapp.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A program with commands of its own, which ours are part of.

    Attributes:
        prog: What a person writes in front of our commands, such as ``flask taskito``.
        app_help: What ``--app`` means there.
        find_queue: Returns the queue of the application that ``--app`` names, or of the one
            that the program finds by itself if it is ``None``. May raise ``Failure``.
    """

    prog: str
    app_help: str
    find_queue: Callable[[str | None], Queue]


class Context:
    """What a command works with besides its own arguments.

    As a context manager it gives back, open as it was, the queue that a host has lent.

    Attributes:
        console: Where to print data, talk and failures.
    """

    def __init__(self, args: argparse.Namespace, host: Host | None = None) -> None:
        """Keep the global flags."""
        self._args = args
        self._host = host
        self._lent = ExitStack()
        self.console = Console(
            as_json=getattr(args, "json", False),
            quiet=getattr(args, "quiet", False),
            no_color=getattr(args, "no_color", False),
        )

    def queue(self, *, app_needed: bool = False) -> Queue:
        """Return the queue that ``--app``, ``--db`` and the environment name.

        Args:
            app_needed: Whether the command needs the program's tasks, so that a database
                file alone is not enough.

        Raises:
            Failure: With exit code 2 when nothing names a queue, and 1 when what is named
                does not exist.
        """
        if self._host is None:
            return find_queue(self._args, app_needed=app_needed)
        db: str | None = getattr(self._args, "db", None)
        _check_file(db)
        queue = self._host.find_queue(getattr(self._args, "app", None))
        database = queue._database  # noqa: SLF001 - of our own package
        self._lent.enter_context(database.elsewhere(db or queue.db_path))
        return queue

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give back what was lent."""
        self._lent.close()


def find_queue(args: argparse.Namespace, *, app_needed: bool = False) -> Queue:
    """Return the queue that the flags and variables name.

    ``--app`` is followed by ``TASKITO_APP``; without both, ``--db`` or ``TASKITO_DB_PATH``
    are enough for commands that need no code.
    """
    app: str | None = getattr(args, "app", None) or os.environ.get("TASKITO_APP")
    db: str | None = getattr(args, "db", None)
    if app is None and app_needed:
        raise Failure("this command needs --app or TASKITO_APP", hint=_EXAMPLE, code=2)
    if app is None:
        db = db or os.environ.get("TASKITO_DB_PATH")
        if db is None:
            message = "which queue? Give --app, --db, TASKITO_APP or TASKITO_DB_PATH"
            raise Failure(message, hint=_EXAMPLE, code=2)
    _check_file(db)
    if app is None:
        return Queue(db_path=db)
    queue = load_queue(app)
    if db is not None:
        queue._database.move(db)  # noqa: SLF001 - of our own package
    return queue


def _check_file(db: str | None) -> None:
    if db is not None and not Path(db).is_file():
        raise Failure(f"no database file at {db!r}", hint="a worker or producer creates it")


def find_job(queue: Queue, job_id: str) -> JobResult[Any]:
    """Return a job.

    Raises:
        Failure: With exit code 3 if there is none of this id.
    """
    job = queue.get_job(job_id)
    if job is None:
        raise Failure(f"job not found: {job_id}", hint="see: taskito jobs list", code=NOT_FOUND)
    return job


def own_queues(queue: Queue) -> set[str]:
    """Return the names of the queues that the tasks and schedules of the program use."""
    tasks = queue._tasks.values()  # noqa: SLF001 - our own
    schedules = queue._periodic_configs  # noqa: SLF001 - documented for programs
    own = {task.definition.options.queue for task in tasks}
    return {"default", *own, *(schedule["queue"] for schedule in schedules)}


def load_queue(path: str) -> Queue:
    """Return the queue that ``module:attribute`` names; the last colon separates them.

    Raises:
        Failure: If there is no such thing, saying what there is.
    """
    module_name, colon, attribute = path.rpartition(":")
    if not (colon and module_name and attribute):
        message = f"--app must be in 'module:attribute' format, got '{path}'"
        raise Failure(message, hint=_EXAMPLE)
    module = _module(module_name)
    if not hasattr(module, attribute):
        message = f"module '{module_name}' has no attribute '{attribute}'"
        raise Failure(message, hint=_what_it_has(module, module_name, attribute))
    found = getattr(module, attribute)
    if not isinstance(found, Queue):
        message = f"'{path}' is not a Queue instance (got {type(found).__name__})"
        raise Failure(message, hint=_what_it_has(module, module_name, attribute))
    return found


def _module(name: str) -> ModuleType:
    here = str(Path.cwd())
    if sys.path[:1] != [here]:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except Exception as error:
        message = f"could not import module '{name}': {_described(error)}"
        raise Failure(message, hint=_why_not(name, error)) from error


def _described(error: Exception) -> str:
    return str(error) if isinstance(error, ImportError) else f"{type(error).__name__}: {error}"


def _why_not(name: str, error: Exception) -> str | None:
    """Return where the module failed, or the name it may have been meant to be."""
    if isinstance(error, ModuleNotFoundError) and error.name in {name, name.partition(".")[0]}:
        files = [file.stem for file in Path.cwd().glob("*.py")]
        near = get_close_matches(name, files, n=1)
        return f"did you mean {near[0]!r}?" if near else "run it where the module lies"
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith("<frozen") and frame.filename != importlib.__file__
    ]
    if len(own) < 2:  # noqa: PLR2004 - the first frame is our own call
        return None
    return f"raised at {own[-1].filename}:{own[-1].lineno}"


def _what_it_has(module: ModuleType, name: str, attribute: str) -> str:
    queues = [key for key, value in vars(module).items() if isinstance(value, Queue)]
    near = get_close_matches(attribute, queues, n=1) or queues[:1]
    if near:
        return f"did you mean '{name}:{near[0]}'?"
    return f"module '{name}' defines no Queue"
