"""A worker that gives its job back while the function still runs, and lives on.

The worker runs in a thread, so the process does not end with it.
Usage: hand_over.py TOKEN
"""

import sys
import threading

from tests.e2e.programs.workshop import marks, queue
from tests.support.until import until


def main(token: str) -> None:
    worker = threading.Thread(target=queue.run_worker, kwargs={"workers": 1})
    worker.start()
    marks.wait("start", token)
    queue.shutdown(now=True)
    worker.join()
    marks.leave("handed back", token)
    marks.wait("look", token)
    others = set(threading.enumerate()) - {threading.main_thread()}
    until(lambda: not any(thread.is_alive() for thread in others))
    marks.leave("function over", token)


if __name__ == "__main__":
    main(*sys.argv[1:])
