"""Programs that used their queue before they made processes, in every way there is."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing

import pytest

from tests.support.processes import STARTING, Program, Site
from tests.support.until import until

CHECK = """
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check").fetchone()[0])
"""


def assert_every_ack_ran_once(site: Site) -> None:
    site.wait_until_settled(within=STARTING)
    acks = site.marks.all("ack")
    assert len({ack.job_id for ack in acks}) == len(acks)
    lost = [ack for ack in acks if site.queue.get_job(ack.job_id) is None]
    assert lost == []
    assert Counter(site.marks.tokens("start")) == dict.fromkeys((ack.token for ack in acks), 1)
    check = [sys.executable, "-c", CHECK, str(site.database)]
    assert subprocess.run(check, capture_output=True, check=True, text=True).stdout == "ok\n"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_enqueue_beside_their_busy_parent(
    site: Site, method: str
) -> None:
    site.ready_worker(workers=2)
    producer = site.run("-m", "tests.crash.programs.spawn_producers", method, "wait")
    assert producer.wait(40) == 0
    assert producer.err == ""
    assert len(site.marks.all("ack")) == 1 + 20 + 3 * 20 + 20 + 1
    assert_every_ack_ran_once(site)


def test_children_go_on_when_their_parent_ends_first(site: Site) -> None:
    site.ready_worker(workers=2)
    producer = site.run("-m", "tests.crash.programs.spawn_producers", "fork", "leave")
    assert producer.wait(STARTING) == 0
    until(lambda: len(site.marks.all("ack")) == 1 + 20 + 3 * 20 + 20, within=STARTING)
    assert_every_ack_ran_once(site)


def get(port: int, path: str) -> tuple[int, str]:
    """The process that answered, and the job it enqueued."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        pid, job_id = answer.read().decode().split()
        assert answer.status == 200
        return int(pid), job_id


def port_of(server: Program) -> int:
    """The port on which it listens, 0 until it does."""
    assert server.is_running(), server.report()
    found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", server.err)
    return int(found[1]) if found else 0


def test_gunicorn_with_a_preloaded_application_serves_and_enqueues_from_every_worker(
    site: Site,
) -> None:
    site.ready_worker(workers=2)
    options = ["--preload", "--workers", "3", "--bind", "127.0.0.1:0"]
    quiet = ["--worker-tmp-dir", str(site.home), "--no-control-socket"]
    app = "tests.crash.programs.preloaded:application"
    server = site.run("-m", "gunicorn", *options, *quiet, app)
    port = until(lambda: port_of(server), within=STARTING)

    answers = [get(port, f"/request {number}".replace(" ", "-")) for number in range(60)]
    workers = {pid for pid, _ in answers}
    assert server.pid not in workers
    victim = answers[-1][0]
    # One is killed and replaced by a fork of the master, which holds nothing open.
    os.kill(victim, signal.SIGKILL)
    answers += [get(port, f"/later-{number}") for number in range(20)]

    server.send(signal.SIGTERM)
    assert server.wait(30) == 0
    acks = {ack.token: ack.job_id for ack in site.marks.all("ack")}
    assert acks["request-7"] == answers[7][1]
    assert {job_id for _, job_id in answers} <= set(acks.values())
    assert_every_ack_ran_once(site)
