"""An application that consists of schedules. Each job leaves a mark."""

import os
from pathlib import Path

from taskito import Queue
from tests.e2e.programs.marks import Marks

marks = Marks(Path(os.environ["SITE_MARKS"]))
queue = Queue(os.environ["SITE_DATABASE"], durability="normal")


@queue.periodic("* * * * * *", name="cron", args=("cron",))
def tick(token: str) -> None:
    marks.leave("start", token)


queue.periodic(every=1, name="every", args=("every",), catch_up="none")(tick)
queue.periodic("0 0 1 1 *", name="yearly", args=("yearly",), timezone="Asia/Tokyo")(tick)
