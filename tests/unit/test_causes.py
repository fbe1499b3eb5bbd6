"""Groups of failures: what puts attempts into them, and how they count."""

import json
import linecache
import threading
from collections.abc import Iterator

import pytest

from taskito import Cancel, Queue, Retry
from taskito._causes import cause_of
from taskito._core import AttemptRow, GroupRow
from taskito._frames import Frames
from taskito._groups import Groups, State
from taskito.testing import ManualWorker
from taskito.testing._manual import manual_worker
from tests.support.until import until
from tests.unit.conftest import StartWorker


@pytest.fixture
def worker(queue: Queue) -> Iterator[ManualWorker]:
    with manual_worker(queue) as worker:
        yield worker


@pytest.fixture
def groups(queue: Queue) -> Groups:
    return Groups(queue._database)


def only(groups: Groups) -> GroupRow:
    [group] = groups.all()
    return group


def attempts(queue: Queue, job_id: str) -> list[AttemptRow]:
    with queue._database as store:
        return store.attempts(job_id)


class TestGrouping:
    def test_failures_that_say_the_same_about_other_things_are_one_group(
        self, queue: Queue, worker: ManualWorker, groups: Groups
    ) -> None:
        @queue.task(name="send", max_retries=0)
        def send(user: int) -> None:
            raise ConnectionError(f"SMTP timeout talking to mx{user}.example.com")

        send.map([(1,), (2,), (33,)])
        worker.run()

        group = only(groups)
        assert (group.task, group.error_type) == ("send", "ConnectionError")
        assert group.template == "SMTP timeout talking to mx{N}.example.com"
        assert group.location.startswith(f"{__name__}:")
        assert group.location.endswith("send")
        assert (group.dead, group.retrying, group.state) == (3, 0, "open")

    def test_another_task_class_place_or_message_is_another_group(
        self, queue: Queue, worker: ManualWorker, groups: Groups
    ) -> None:
        def here(what: str) -> None:
            raise KeyError(what) if what == "class" else ValueError(what)

        def there(what: str) -> None:
            raise ValueError(what)

        fail = queue.task(name="a", max_retries=0)(here)
        other = queue.task(name="b", max_retries=0)(here)
        elsewhere = queue.task(name="a2", max_retries=0)(there)
        for job in (fail, other, elsewhere):
            job.delay("x")
        fail.delay("class")
        fail.delay("y")
        worker.run()

        assert len(groups.all()) == 5

    def test_the_attempt_says_what_where_and_on_which_worker(
        self, queue: Queue, worker: ManualWorker
    ) -> None:
        @queue.task(max_retries=0)
        def fail() -> None:
            json.loads("{")

        job = fail.delay()
        worker.run()

        [attempt] = attempts(queue, job.id)
        assert attempt.error_type == "json.decoder.JSONDecodeError"
        assert attempt.message is not None
        assert attempt.message.startswith("Expecting property name")
        assert attempt.worker is not None
        assert attempt.worker.rpartition(":")[2].isdigit()
        frames = json.loads(attempt.frames or "")
        assert frames[0]["function"].endswith("fail")
        assert frames[0]["code"] == 'json.loads("{")'
        assert [frame["library"] for frame in frames] == [False, True, True, True]
        assert frames[-1]["file"] == "json/decoder.py"

    def test_timeouts_of_a_task_are_one_group(
        self, queue: Queue, start_worker: StartWorker, groups: Groups
    ) -> None:
        release = threading.Event()

        @queue.task(name="slow", max_retries=0, timeout=0.05)
        def slow(_number: int) -> None:
            release.wait(30)

        jobs = slow.map([(1,), (2,)])
        start_worker()
        until(lambda: [job.status for job in jobs] == ["dead", "dead"])
        release.set()

        group = only(groups)
        assert (group.dead, group.location) == (2, "")
        assert group.error_type == "taskito.exceptions.TaskTimeoutError"
        assert group.template == "the attempt ran longer than its timeout"
        [attempt] = attempts(queue, jobs[0].id)
        assert attempt.message == "task 'slow' ran longer than its timeout of 0.05 s"

    def test_what_was_cancelled_is_no_failure(
        self, queue: Queue, worker: ManualWorker, groups: Groups
    ) -> None:
        @queue.task
        def stop() -> None:
            raise Cancel("enough")

        stop.delay()
        worker.run()
        assert groups.all() == []


class TestCounting:
    def test_a_job_counts_while_it_is_tried_again_and_no_longer_when_it_succeeds(
        self, queue: Queue, worker: ManualWorker, groups: Groups
    ) -> None:
        broken = True

        @queue.task(max_retries=2)
        def flaky() -> None:
            if broken:
                raise ValueError("not yet")

        job = flaky.delay()
        worker.run()
        assert (only(groups).dead, only(groups).retrying) == (0, 1)
        assert attempts(queue, job.id)[0].failure == only(groups).fingerprint

        broken = False
        assert worker.run_until_idle() == [job]
        assert job.status == "complete"
        assert (only(groups).dead, only(groups).retrying) == (0, 0)

    @pytest.fixture
    def dead(self, queue: Queue, worker: ManualWorker) -> list[str]:
        @queue.task(name="die", max_retries=0)
        def die(number: int) -> None:
            raise ValueError(f"number {number}")

        jobs = die.map([(number,) for number in range(4)])
        worker.run()
        return [job.id for job in jobs]

    @pytest.mark.usefixtures("dead")
    def test_retrying_one_leaves_the_others(self, queue: Queue, groups: Groups) -> None:
        [canary] = groups.retry(only(groups).fingerprint, 1)
        copy = queue.get_job(canary)
        assert copy is not None
        assert copy.status == "pending"
        assert only(groups).dead == 3

    @pytest.mark.usefixtures("dead")
    def test_all_are_retried_once_and_those_that_die_meanwhile_are_left(
        self, worker: ManualWorker, groups: Groups
    ) -> None:
        assert len(groups.retry(only(groups).fingerprint)) == 4
        assert only(groups).dead == 0
        worker.run()
        assert only(groups).dead == 4

    @pytest.mark.usefixtures("dead")
    def test_discarded_letters_count_no_longer(self, groups: Groups) -> None:
        assert groups.discard(only(groups).fingerprint) == 4
        assert (only(groups).dead, groups.jobs(only(groups).fingerprint, 9)) == (0, [])

    @pytest.mark.usefixtures("dead")
    @pytest.mark.parametrize("state", ["open", "silenced"])
    def test_a_group_goes_with_the_last_of_its_jobs_unless_it_is_silenced(
        self,
        queue: Queue,
        worker: ManualWorker,
        groups: Groups,
        state: State,
    ) -> None:
        assert groups.judge(only(groups).fingerprint, state)
        worker.advance(1)
        assert queue.purge_jobs("dead", older_than=0) == 4
        assert [group.state for group in groups.all()] == (["silenced"] if state != "open" else [])

    @pytest.mark.usefixtures("dead")
    def test_a_resolved_group_opens_with_its_next_failure_and_a_silenced_one_does_not(
        self, worker: ManualWorker, groups: Groups
    ) -> None:
        fingerprint = only(groups).fingerprint
        pairs: list[tuple[State, State]] = [("resolved", "open"), ("silenced", "silenced")]
        for said, then in pairs:
            assert groups.judge(fingerprint, said)
            groups.retry(fingerprint, 1)
            worker.run()
            assert only(groups).state == then

    def test_a_group_that_is_not_there_is_empty(self, groups: Groups) -> None:
        for name in ("", "7", "0" * 16, "x" * 99):
            assert groups.get(name) is None
            assert groups.retry(name) == []
            assert groups.discard(name) == 0
            assert groups.jobs(name, 5) == []
            assert groups.hours(name, 0, 2) in ([], [0, 0])
            assert not groups.judge(name, "open")


class TestExceptionsThatMisbehave:
    def test_one_whose_str_fails_has_a_group_all_the_same(self) -> None:
        class Mute(Exception):  # noqa: N818 - as short as can be
            def __str__(self) -> str:
                raise RuntimeError("no")

        assert cause_of(Mute()) is not None

    def test_whatever_it_says_it_never_raises(self) -> None:
        class Exits(Exception):  # noqa: N818 - likewise
            def __str__(self) -> str:
                raise SystemExit(3)

        odd = type("Odd", (Exception,), {"__module__": 7})
        for error in (Exits(), odd("\ud800"), ValueError("x" * 2**20), Retry(delay=1)):
            assert cause_of(error) is not None

    def test_a_deep_traceback_keeps_its_ends(self) -> None:
        def deeper(n: int) -> None:
            if n:
                deeper(n - 1)
            raise ValueError(n)

        with pytest.raises(ValueError, match="0") as caught:
            deeper(500)
        frames = json.loads(Frames(caught.value.__traceback__).json)
        assert len(frames) == 41
        assert [frame["omitted"] for frame in frames if "omitted" in frame] == [462]

    def test_long_lines_do_not_make_it_large(self) -> None:
        name = "ü" * 200
        source = f"def {name}(n):\n    {name}(n - 1) if n else 1 / 0 #{'ü' * 500}\n"
        place: dict[str, object] = {"__name__": "made"}
        file = f"<{'ü' * 300}>"
        lines: list[str] = [*source.splitlines(keepends=True)]
        linecache.cache[file] = (len(source), None, lines, file)
        exec(compile(source, file, "exec"), place)
        with pytest.raises(ZeroDivisionError) as caught:
            place[name](100)  # type: ignore[operator]
        text = Frames(caught.value.__traceback__).json
        assert len(text.encode()) <= 32_768
        assert json.loads(text)
