"""An application whose dashboard gives questions no time, so that long ones are given up."""

import os
from pathlib import Path
from unittest.mock import patch

from taskito import Queue
from taskito_dashboard import app

patch.object(app, "READ_MS", 0).start()
queue = Queue(Path(os.environ["SITE_DATABASE"]).with_name("broad.db"))
