"""Whatever a function does short of killing its process, the worker lives and says why."""

import pytest

from tests.support.processes import STARTING, Site


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("SystemExit", "SystemExit: 3"),
        ("KeyboardInterrupt", "KeyboardInterrupt"),
        ("GeneratorExit", "GeneratorExit"),
        ("unprintable", "Unprintable"),
        ("unpicklable result", "lock"),
        ("deep recursion", "RecursionError"),
        ("huge message", "ValueError: xxx"),
        ("surrogate", "ValueError"),
    ],
)
def test_a_task_that_breaks_fails_its_attempt_and_never_the_worker(
    site: Site, kind: str, words: str
) -> None:
    worker = site.worker()
    job = site.queue.enqueue("misbehave", [kind], max_retries=0)
    assert job.wait(timeout=STARTING)
    assert job.status == "dead"
    (letter,) = site.queue.dead_letters()
    assert words in letter["error"]
    assert len(letter["error"].encode(errors="surrogatepass")) <= 65 * 1024
    assert site.queue.enqueue("note", ["next"]).result(timeout=30) == "next"
    assert worker.is_running()


def test_arguments_the_worker_cannot_decode_fail_the_attempt(site: Site) -> None:
    worker = site.ready_worker()
    job = site.queue.enqueue("note", [Undecodable()], max_retries=0)
    assert job.wait(timeout=30)
    assert job.status == "dead"
    assert "this cannot be decoded" in site.queue.dead_letters()[0]["error"]
    assert site.queue.enqueue("note", ["next"]).result(timeout=30) == "next"
    assert worker.is_running()


class Undecodable:
    """Can be pickled; unpickling it raises."""

    def __reduce__(self) -> tuple[object, ...]:
        return exec, ("raise ValueError('this cannot be decoded')",)
