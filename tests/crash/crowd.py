"""Many workers on one file: each job's effect is counted, outside of the product.

Usage: python -m tests.crash.crowd [--workers 8] [--jobs 20000] [--producers 2]

Prints how the jobs were shared out, and exits with 1 if any ran less or more than once.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import STARTING, Site, open_site


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """What became of the jobs of a crowd.

    Attributes:
        wanted: what was enqueued.
        runs: how often each token's function ran.
        by_worker: how many runs each process had.
        counts: of the queue, at the end.
        seconds: from the moment all workers were up.
    """

    wanted: frozenset[str]
    runs: Counter[str]
    by_worker: Counter[int]
    counts: dict[str, int]
    seconds: float

    @property
    def not_once(self) -> int:
        """Jobs that ran less or more than once, and runs of none."""
        runs = {token for token, times in self.runs.items() if times == 1}
        return len(self.wanted ^ runs) + sum(times > 1 for times in self.runs.values())


def share_out(site: Site, *, workers: int, producers: int, jobs: int, within: float) -> Shares:
    """Enqueue so many jobs from several processes while as many workers are up."""
    gate = site.gate()
    crew = [site.ready_worker(workers=1) for _ in range(workers)]
    each = jobs // producers
    names = [f"p{number}" for number in range(producers)]
    made = [site.script("produce", name, "2", str(each // 2), str(gate)) for name in names]
    for name in names:
        site.marks.wait("ready", name, within=STARTING)
    begin = time.monotonic()
    gate.unlink()
    for producer in made:
        assert producer.wait(within) == 0, producer.report()
    counts = site.wait_until_settled(within=within)
    starts = site.marks.all("start")
    by_worker = Counter(mark.pid for mark in starts)
    assert set(by_worker) <= {worker.pid for worker in crew}
    return Shares(
        wanted=frozenset(site.marks.tokens("ack")),
        runs=Counter(mark.token for mark in starts),
        by_worker=by_worker,
        counts=counts,
        seconds=time.monotonic() - begin,
    )


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.crowd", description=__doc__)
    parser.add_argument("--workers", type=int, default=8, help="processes that run jobs (8)")
    parser.add_argument("--jobs", type=int, default=20_000, help="jobs in all (20000)")
    parser.add_argument("--producers", type=int, default=2, help="processes that enqueue (2)")
    args = parser.parse_args(argv)
    with (
        tempfile.TemporaryDirectory(prefix="taskito-crowd-") as folder,
        open_site(Path(folder), durability="normal", is_quiet=True) as site,
    ):
        shares = share_out(
            site, workers=args.workers, producers=args.producers, jobs=args.jobs, within=600
        )
    print(f"{len(shares.wanted):,} jobs, {args.workers} workers, {shares.seconds:.0f} s")
    for pid, runs in shares.by_worker.most_common():
        print(f"  worker {pid}: {runs:,}")
    print(f"ran less or more than once: {shares.not_once}")
    return 1 if shares.not_once or shares.counts["completed"] != len(shares.wanted) else 0


if __name__ == "__main__":
    sys.exit(main())
