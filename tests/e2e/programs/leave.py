"""A program that ends while a worker in its daemon thread is busy.

Usage: leave.py TOKEN (return | exit | raise); an empty TOKEN waits for no job.
"""

import sys
import threading

from tests.e2e.programs.workshop import marks, queue
from tests.support.until import until


def main(token: str, how: str) -> None:
    threading.Thread(target=queue.run_worker, kwargs={"workers": 2}, daemon=True).start()
    if token:
        marks.wait("start", token)
    else:
        until(queue.workers)
    marks.leave("leaving", token)
    if how == "exit":
        sys.exit(7)
    if how == "raise":
        raise RuntimeError("the program ends with this error")


if __name__ == "__main__":
    main(*sys.argv[1:])
