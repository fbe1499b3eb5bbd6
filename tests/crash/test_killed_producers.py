"""An acknowledged job survives the death of its producer, whenever that comes."""

import random
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest

from tests.support.processes import STARTING, open_site

KILLS = 6
ENDLESS = "1000000"


@pytest.mark.parametrize("durability", ["full", "normal"])
@pytest.mark.parametrize("with_a_worker", [False, True], ids=["no worker", "busy worker"])
def test_every_acknowledged_job_of_killed_producers_completes(
    tmp_path: Path, durability: Literal["full", "normal"], *, with_a_worker: bool
) -> None:
    with open_site(tmp_path, durability=durability) as site:
        gate = site.gate()
        gate.unlink()
        if with_a_worker:
            site.ready_worker(workers=2)
        for number in range(KILLS):
            producer = site.script("produce", f"p{number}", "3", ENDLESS, str(gate))
            site.marks.wait("ready", f"p{number}", within=STARTING)
            moment = len(site.marks.all("ack")) + random.randrange(1, 40)
            site.marks.wait("ack", count=moment, within=STARTING)
            producer.kill()

        acks = site.marks.all("ack")
        tries = site.marks.tokens("try")
        assert len({ack.job_id for ack in acks}) == len(acks)
        if not with_a_worker:
            assert set(site.marks.tokens("start")) == set()
            site.worker(workers=2)
        counts = site.wait_until_settled(within=STARTING)
        for ack in acks:
            job = site.queue.get_job(ack.job_id)
            assert job is not None, f"{ack} is lost"
            assert job.result(timeout=0) == ack.token
        runs = Counter(site.marks.tokens("start"))
        assert set(runs) >= {ack.token for ack in acks}
        assert set(runs) <= set(tries), "something ran that nobody enqueued"
        assert max(runs.values()) == 1
        assert counts["completed"] == sum(counts.values()) == len(runs)
        print(f"{len(acks)} acknowledged, {len(tries) - len(acks)} unacknowledged at the kills")
