"""A producer that forks while its other threads are enqueueing; all of them produce.

Usage: produce_and_fork.py THREADS CHILDREN JOBS (wait | leave); after ``leave`` the parent
does not wait for its children.
"""

import os
import signal
import sys
import threading

from tests.e2e.programs.workshop import marks, note


def produce(name: str, jobs: int) -> None:
    for number in range(jobs):
        token = f"{name}/{number}"
        job = note.delay(token)
        marks.leave("ack", token, job.id)


def be_a_child(name: str, jobs: int) -> None:
    signal.alarm(10)
    status = 1
    try:
        produce(name, jobs)
        status = 0
    finally:
        marks.leave("child over", name)
        os._exit(status)


def main(threads: str, children: str, jobs: str, end: str) -> None:
    produce("before", 1)
    others = [
        threading.Thread(target=produce, args=(f"thread {number}", int(jobs)))
        for number in range(int(threads))
    ]
    for thread in others:
        thread.start()
    pids: list[int] = []
    for number in range(int(children)):
        if (pid := os.fork()) == 0:
            be_a_child(f"child {number}", int(jobs))
        pids.append(pid)
    produce("main", int(jobs))
    for thread in others:
        thread.join()
    if end == "wait":
        statuses = [os.waitpid(pid, 0)[1] for pid in pids]
        if any(statuses):
            sys.exit(f"children failed: {statuses}")
    produce("after", 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
