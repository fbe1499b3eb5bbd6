"""Payloads of 100 MB, chains of 10,000 steps, and canvases that contain themselves."""

import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from taskito import DependencyError, PayloadTooLargeError, Queue, chain, chord, group
from tests.support.command import command
from tests.support.processes import REPOSITORY
from tests.support.working import working

BIG = 100 * 2**20
STEPS = 10_000

BIG_PAYLOAD = textwrap.dedent("""
    import hashlib, sys, threading
    from taskito import Queue

    queue = Queue(sys.argv[1], workers=1, max_payload_bytes=None)

    @queue.task(name="turn")
    def turn(data: bytes) -> bytes:
        return data[::-1]

    data = bytes(range(256)) * (int(sys.argv[2]) // 256)
    job = turn.delay(data)
    worker = threading.Thread(target=queue.run_worker)
    worker.start()
    assert job.result(timeout=60) == data[::-1]
    queue.shutdown()
    worker.join(30)
    assert not worker.is_alive()
    queue.close()
""")


def test_a_payload_of_100_mb_goes_all_the_way_without_a_limit(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BIG_PAYLOAD, str(tmp_path / "jobs.db"), str(BIG)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    # The only thing that is said about it is that there are better ways.
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_a_payload_of_100_mb_is_refused_by_default_and_nothing_is_stored(tmp_path: Path) -> None:
    with Queue(tmp_path / "jobs.db") as queue:
        with pytest.raises(PayloadTooLargeError, match=r"hint: ") as caught:
            queue.enqueue("turn", [bytes(BIG)])
        assert "16" in str(caught.value)
        with pytest.raises(PayloadTooLargeError):
            queue.enqueue_many("turn", [(b"small",), (bytes(BIG),)])
        assert set(queue.stats().values()) == {0}


def test_a_chain_of_10_000_steps_is_stored_at_once_and_runs_to_its_end(tmp_path: Path) -> None:
    queue = Queue(tmp_path / "jobs.db", workers=1, durability="normal")

    @queue.task(name="add")
    def add(number: int, more: int) -> int:
        return number + more

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    last = chain(add.s(0, 1), *(add.s(1) for _ in range(STEPS - 1))).apply()
    assert queue.stats()["pending"] == STEPS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, "kB"
    with working(queue):
        assert last.result(timeout=90) == STEPS
    assert queue.stats()["completed"] == STEPS
    queue.close()


def test_a_cancelled_step_takes_a_chain_of_10_000_with_it_at_once(tmp_path: Path) -> None:
    with Queue(tmp_path / "jobs.db", durability="normal") as queue:
        step = queue.task(name="step")(lambda: None)
        last = chain(*(step.si() for _ in range(STEPS))).apply()
        first = queue.list_jobs(limit=1, offset=STEPS - 1)[0]
        assert queue.cancel_job(first.id)
        assert queue.stats() == dict.fromkeys(queue.stats(), 0) | {"cancelled": STEPS}
        assert last.error == f"dependency cancelled: {first.id}"


def test_a_job_that_is_due_after_the_end_of_the_calendar_can_be_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "jobs.db"
    with Queue(path) as queue:
        job = queue.enqueue("note", delay=8e12)
        assert "ms since 1970" in str(queue.why(job.id))
    for words in (("jobs", "show", job.id), ("jobs", "why", job.id), ("jobs", "list")):
        assert command(*words, "--db", str(path)) == 0
    assert "ms since 1970" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", [1e308, -1e308, 10**400, 1e17])
def test_a_duration_that_no_clock_can_count_is_refused(tmp_path: Path, seconds: float) -> None:
    with Queue(tmp_path / "jobs.db") as queue:
        with pytest.raises(ValueError, match="longer than any clock runs"):
            queue.enqueue("note", delay=seconds)
        assert queue.stats()["pending"] == 0


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-1", "-5m", "1e400d", "99999999999d"])
def test_a_duration_of_the_command_line_is_finite_and_not_negative(
    tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Queue(tmp_path / "jobs.db").stats()
    assert command("jobs", "list", f"--since={text}", "--db", str(tmp_path / "jobs.db")) == 2
    assert f"not a duration: {text!r}" in capsys.readouterr().err


def test_a_job_cannot_wait_for_one_that_comes_later(tmp_path: Path) -> None:
    """An id is known when its job is stored, so no circle can be closed."""
    with Queue(tmp_path / "jobs.db") as queue:
        first = queue.enqueue("note", ["first"])
        second = queue.enqueue("note", ["second"], depends_on=first)
        unknown = second.id[:-1] + ("0" if second.id[-1] != "0" else "1")
        with pytest.raises(DependencyError, match=unknown):
            queue.enqueue("note", ["third"], depends_on=[second, unknown])
        assert queue.stats()["pending"] == 2


def test_a_canvas_that_contains_itself_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    with Queue(tmp_path / "jobs.db") as queue:
        step = queue.task(name="step")(lambda *_: None)
        steps = chain(step.s(1), step.s(2))
        members = group(step.s(1), steps)
        crowned = chord(members, step.s())
        steps.signatures.append(crowned)
        for canvas, kind in ((steps, "chain"), (members, "group"), (crowned, "chord")):
            with pytest.raises(ValueError, match=f"a {kind} contains itself"):
                canvas.apply()
            assert "..." in repr(canvas)
        assert set(queue.stats().values()) == {0}


def test_a_canvas_may_be_part_of_another_twice_and_nested_at_any_depth(tmp_path: Path) -> None:
    with Queue(tmp_path / "jobs.db", durability="normal") as queue:
        step = queue.task(name="step")(lambda *_: None)
        pair = chain(step.s(1), step.s(2))
        group(pair, pair).apply()
        assert queue.stats()["pending"] == 4
        nested = chain(step.si())
        for _ in range(STEPS):
            nested = chain(nested)
        nested.apply()
        assert queue.stats()["pending"] == 5
