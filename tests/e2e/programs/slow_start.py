"""An application whose import takes long: it waits at a gate before there is a queue."""

import os

from tests.e2e.programs.workshop import marks, queue, wait_at

__all__ = ["queue"]

marks.leave("importing")
wait_at(os.environ["SITE_GATE"])
