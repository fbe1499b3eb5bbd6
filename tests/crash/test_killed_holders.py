"""Locks of holders that are killed or stopped, among real processes."""

import itertools
import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.support.pins import median_within
from tests.support.processes import STARTING, Program, Site, open_site
from tests.support.until import until

TTL = 2.0
FOREVER = "1000"


def holder(site: Site, gate: Path, seconds: str = FOREVER, ttl: float = TTL) -> Program:
    return site.script("hold_lock", "a", str(ttl), str(gate), seconds)


def test_a_killed_holder_loses_the_lock_after_its_ttl_and_not_before(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        gate = site.gate()
        program = holder(site, gate)
        first = site.marks.wait("taken", within=STARTING)
        until(lambda: time.monotonic() > first.at + 2 * TTL)
        assert not site.queue.lock("a", timeout=0).acquire(), "it was not renewed"
        program.kill()
        with closing(sqlite3.connect(site.database)) as connection:
            ((good_until,),) = connection.execute("SELECT good_until FROM lock")
        lock = site.queue.lock("a", timeout=STARTING)
        assert lock.acquire()
        assert time.monotonic() * 1000 >= good_until
        assert lock.fence > int(first.token)


def test_processes_that_are_killed_at_any_time_never_share_a_lock(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        gate = site.gate()
        killed: set[int] = set()
        programs = [holder(site, gate, "0.01", ttl=3.0) for _ in range(4)]
        site.marks.wait("taken", count=20, within=STARTING)
        for _ in range(3):
            count = len(site.marks.all("taken")) + random.randrange(1, 10)
            site.marks.wait("taken", count=count, within=STARTING)
            victim = programs.pop(0)
            victim.kill()
            killed.add(victim.pid)
            site.marks.wait("taken", count=count + 5, within=STARTING)
            programs.append(holder(site, gate, "0.01", ttl=3.0))
        gate.unlink()
        for program in programs:
            assert program.wait(STARTING) == 0, program.report()
        inside: dict[int, str] = {}
        fences: list[int] = []
        for mark in site.marks.all():
            if mark.event == "taken":
                assert inside.keys() <= killed, f"{mark} while {inside} were inside"
                inside = {mark.pid: mark.token}
                fences.append(int(mark.token))
            elif mark.event == "left":
                assert inside.pop(mark.pid) == mark.token
        assert "lost" not in {mark.event for mark in site.marks.all()}
        assert fences == sorted(set(fences))
        assert site.queue.lock("a", timeout=STARTING).acquire()


def test_a_holder_that_was_stopped_for_too_long_learns_that_it_lost_the_lock(
    tmp_path: Path,
) -> None:
    with open_site(tmp_path) as site:
        gate = site.gate()
        program = holder(site, gate, ttl=0.6)
        first = site.marks.wait("taken", within=STARTING)
        program.send(signal.SIGSTOP)
        lock = site.queue.lock("a", timeout=STARTING)
        assert lock.acquire()
        assert lock.fence > int(first.token)
        gate.unlink()
        program.send(signal.SIGCONT)
        site.marks.wait("lost", first.token, within=STARTING)
        assert program.wait(STARTING) == 0, program.report()
        assert "lock 'a' was lost before it was released" in program.err
        assert lock.held


def test_who_waits_in_another_process_is_woken_at_once(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        gate = site.gate()
        turns = itertools.count()

        def lateness() -> float:
            turn = next(turns)
            held = site.queue.lock(f"lock {turn}")
            held.acquire()
            site.script("hold_lock", held.name, "30", str(gate), FOREVER)
            site.marks.wait("ready", held.name)
            time.sleep(0.2)  # it falls asleep; if it has not yet, the test is only easier
            assert len(site.marks.all("taken")) == turn
            released = time.monotonic()
            held.release()
            return site.marks.wait("taken", count=turn + 1).at - released

        # A look each second would be half a second late on average.
        median_within(0.25, lateness, samples=3, rounds=3)
