"""Several processes use one new database after another, each for the first time, all at once.

Usage: open_first.py FOLDER PROCESSES ROUNDS
"""

import os
import sys
from functools import partial
from pathlib import Path

from taskito import Queue
from tests.e2e.programs.marks import Marks
from tests.support.until import until


def all_ready(home: Path, processes: int) -> bool:
    return len(list(home.glob("ready.*"))) == processes


def main(folder: str, processes: str, rounds: str) -> None:
    marks = Marks(Path(os.environ["SITE_MARKS"]))
    for number in range(int(rounds)):
        home = Path(folder) / str(number)
        home.mkdir(parents=True, exist_ok=True)
        queue = Queue(home / "jobs.db", durability="normal")
        (home / f"ready.{os.getpid()}").touch()
        until(partial(all_ready, home, int(processes)))
        try:
            job = queue.enqueue("note", [number])
        except Exception as error:
            marks.leave("failed", str(error))
        else:
            marks.leave("ack", str(number), job.id)
        queue.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
