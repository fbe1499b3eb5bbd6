"""A producer: several threads enqueue at once, and acknowledge each job after ``delay()``.

Usage: produce.py NAME THREADS JOBS GATE
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.programs.workshop import marks, note, wait_at


def produce(name: str, jobs: int, gate: str) -> None:
    wait_at(gate)
    for number in range(jobs):
        token = f"{name}/{number}"
        marks.leave("try", token)
        job = note.delay(token)
        marks.leave("ack", token, job.id)


def main(name: str, threads: str, jobs: str, gate: str) -> None:
    with ThreadPoolExecutor(int(threads)) as pool:
        marks.leave("ready", name)
        runs = [pool.submit(produce, f"{name}/{n}", int(jobs), gate) for n in range(int(threads))]
        for run in runs:
            run.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
