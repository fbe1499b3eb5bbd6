"""A program that has used its queue, and then produces with ``multiprocessing``.

Usage: spawn_producers.py (fork | spawn | forkserver) (wait | leave); after ``leave`` the program
ends while its children go on, as a daemon's children may.
"""

import os
import sys
import threading
from multiprocessing import get_context
from typing import Literal, cast

from tests.crash.programs.hazards import produce


def main(method: str, end: str) -> None:
    produce("before", 1)
    busy = threading.Thread(target=produce, args=("thread", 20))
    busy.start()
    context = get_context(cast("Literal['fork']", method))
    children = [context.Process(target=produce, args=(f"child {n}", 20)) for n in range(3)]
    for child in children:
        child.start()
    produce("main", 20)
    busy.join()
    if end == "leave":
        os._exit(0)
    for child in children:
        child.join()
    if codes := [child.exitcode for child in children if child.exitcode]:
        sys.exit(f"children failed: {codes}")
    produce("after", 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
