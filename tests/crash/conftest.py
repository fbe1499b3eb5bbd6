"""Fixtures of the tests that start real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import Site, open_site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as site:
        yield site
