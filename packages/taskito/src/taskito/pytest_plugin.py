"""The pytest plugin: ``taskito_queue`` and ``taskito_worker``.

pytest finds it by itself. Loading it costs nothing; a fixture loads the engine when a test
asks for it.
"""

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from taskito.queue import Queue
    from taskito.testing import ManualWorker

__all__ = ["taskito_queue", "taskito_worker"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Know the ini option ``taskito_app``."""
    parser.addini(
        "taskito_app",
        "module:attribute of the Queue that taskito_queue binds to a temporary file",
        type="string",
        default="",
    )


@pytest.fixture
def taskito_queue(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[Queue]":
    """Give a real queue on a fresh file, closed when the test ends.

    With the ini option ``taskito_app = module:attribute`` it is that Queue, bound to the
    file for the test and to its own again afterwards.
    """
    path = str(tmp_path_factory.mktemp("taskito") / "taskito.db")
    app: str = pytestconfig.getini("taskito_app")
    with _bound(_app_queue(app, pytestconfig), path) if app else _fresh(path) as queue:
        yield queue


@pytest.fixture
def taskito_worker(taskito_queue: "Queue") -> "Iterator[ManualWorker]":
    """Give a worker of ``taskito_queue`` that runs jobs in the test's thread when told to.

    It owns the clock of the queue, which starts at the real time and moves only when told.
    """
    from taskito.testing._manual import manual_worker  # noqa: PLC0415 - for those who ask for it

    with manual_worker(taskito_queue) as worker:
        yield worker


def _fresh(path: str) -> "Queue":
    from taskito.queue import Queue  # noqa: PLC0415 - only for those who ask for it

    return Queue(path, durability="normal")


@contextmanager
def _bound(queue: "Queue", path: str) -> "Generator[Queue]":
    with queue._database.elsewhere(path):  # noqa: SLF001 - of our own package
        try:
            yield queue
        finally:
            queue.shutdown(wait=True, now=True)


def _app_queue(app: str, config: pytest.Config) -> "Queue":
    import sys  # noqa: PLC0415 - only for those who ask for it

    from taskito.cli._console import Failure  # noqa: PLC0415 - likewise
    from taskito.cli._context import load_queue  # noqa: PLC0415 - likewise

    root = str(config.rootpath)
    path = sys.path if root in sys.path else [root, *sys.path]
    sys.path = [*path]
    try:
        return load_queue(app)
    except Failure as failure:
        message = f"ini option taskito_app: {failure}"
        if failure.hint:
            message += f"\nhint: {failure.hint}"
        message = message.replace("--app must", "it must").replace("--app", "taskito_app =")
        raise pytest.fail.Exception(message, pytrace=False) from None
    finally:
        sys.path = path  # without the current directory, which is any in a test
