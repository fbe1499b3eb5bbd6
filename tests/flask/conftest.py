"""An application with its queue, and a place for real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from taskito_flask import Taskito
from tests.flask.support import make_app, queue_of
from tests.support.processes import Site, open_site


@pytest.fixture
def taskito() -> Taskito:
    return Taskito()


@pytest.fixture
def app(tmp_path: Path, taskito: Taskito) -> Iterator[Flask]:
    app = make_app(tmp_path)
    taskito.init_app(app)
    yield app
    queue_of(app).close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as site:
        yield site
