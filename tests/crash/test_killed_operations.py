"""Operations whose drivers are killed: others go on, and nothing is done twice."""

from pathlib import Path

from taskito.bulk import Bulk
from taskito.filters import Filter
from tests.support.processes import STARTING, open_site
from tests.support.until import until

JOBS = 1200
LEASE = 5


def test_a_killed_driver_is_replaced_and_nothing_is_done_twice(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        bulk = Bulk(site.queue)
        site.queue.enqueue_many("nothing", [()] * JOBS)
        bulk.finish(bulk.begin("cancel", Filter(), who="ana").id)
        begun = bulk.begin("retry", Filter.parse("state:cancelled"), who="ana", rate=400)

        def done() -> int:
            found = bulk.get(begun.id)
            assert found is not None
            return found.done

        for share in (1, 3):
            victim = site.script("drive")
            until(lambda share=share: done() >= share * 100, within=STARTING)  # type: ignore[misc]
            victim.kill()
        assert done() < JOBS, "it was over before anybody was killed"
        survivors = [site.script("drive") for _ in range(3)]
        for program in survivors:
            assert program.wait(STARTING + LEASE + JOBS / 400) == 0, program.report()

        over = bulk.get(begun.id)
        assert over is not None
        assert (over.state, over.done, over.skipped) == ("done", JOBS, 0)
        assert site.queue.count_jobs("pending") == JOBS
        pairs = bulk.touched(begun.id, JOBS + 1)
        assert len({job for job, _ in pairs}) == len({copy for _, copy in pairs}) == JOBS


def test_a_canary_is_waited_for_whoever_is_killed(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        bulk = Bulk(site.queue)
        site.queue.enqueue_many("nothing", [()] * 20)
        bulk.finish(bulk.begin("cancel", Filter(), who="ana").id)
        begun = bulk.begin("retry", Filter.parse("state:cancelled"), who="ana", canary=1)

        def waits() -> bool:
            found = bulk.get(begun.id)
            return found is not None and found.waits_until is not None

        victim = site.script("drive")
        until(waits, within=STARTING)
        victim.kill()
        assert site.queue.count_jobs("pending") == 1
        survivors = [site.script("drive") for _ in range(3)]
        site.queue.task(name="nothing")(lambda: None)
        with site.queue._stepping() as worker:
            worker.run_next()
        for program in survivors:
            assert program.wait(STARTING + LEASE) == 0, program.report()

        over = bulk.get(begun.id)
        assert over is not None
        assert (over.state, over.done, over.report) == ("done", 20, None)
        assert site.queue.count_jobs("pending") == 19


def test_a_worker_drives_what_a_killed_process_began(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        bulk = Bulk(site.queue)
        site.queue.enqueue_many("nothing", [()] * 50)
        begun = bulk.begin("cancel", Filter.parse("task:nothing"), who="ana")
        site.ready_worker()
        until(lambda: site.queue.count_jobs("cancelled") == 50, within=STARTING)
        until(lambda: (found := bulk.get(begun.id)) is not None and found.is_over)
