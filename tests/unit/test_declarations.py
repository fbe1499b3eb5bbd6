"""Declarations are made once and hold for every queue they are bound to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taskito import Queue, chain, chord, chunks, current_job, group, starmap
from taskito.declarations import Declarations
from taskito.testing import assert_enqueued


class Town:
    """Two queues, one of which counts."""

    def __init__(self, folder: Path) -> None:
        self.left = Queue(folder / "left.db", durability="normal")
        self.right = Queue(folder / "right.db", default_retry=9, durability="normal")
        self.here = self.left
        self.declared = Declarations(lambda: self.here)

    def bind(self) -> None:
        for queue in (self.left, self.right):
            self.declared.bind(queue)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    with town.left, town.right:
        yield town


def pending(town: Town) -> list[int]:
    return [queue.stats()["pending"] for queue in (town.left, town.right)]


def test_a_call_goes_to_the_queue_that_counts(town: Town) -> None:
    @town.declared.task
    def work(number: int) -> int:
        return number

    soon = work.options(delay=60)
    town.bind()
    work.delay(1)
    town.here = town.right
    work.delay(2)
    work.apply_async([3])
    work.map([(4,), (5,)])
    soon.delay(6)

    assert pending(town) == [1, 5]
    assert assert_enqueued(work, [3]).status == "pending"


def test_each_queue_fills_in_its_own_defaults(town: Town) -> None:
    @town.declared.task
    def work() -> None: ...

    town.bind()
    for queue, retries in ((town.left, 3), (town.right, 9)):
        town.here = queue
        for job in (work.delay(), *work.map([()]), work.s().apply()):
            assert job.to_dict()["max_retries"] == retries


def test_options_are_kept_for_every_queue(town: Town) -> None:
    @town.declared.task("work", queue="mail", retry_delays=iter([1, 2]))
    def work() -> None: ...

    town.bind()
    for queue in (town.left, town.right):
        town.here = queue
        assert work.delay().queue == "mail"
        options = queue._tasks["work"].definition.options
        assert options.retry_delays_ms == (1000, 2000)


def test_a_canvas_is_made_before_there_is_a_queue(town: Town) -> None:
    @town.declared.task
    def add(a: int, b: int) -> int:
        return a + b

    @town.declared.task
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    flow = chain(add.s(1, 2), chord(group(add.s(n) for n in range(3)), total.s()))
    more = group(chunks(total, range(4), 2), starmap(add, [(1, 1)]))
    town.bind()
    for queue in (town.left, town.right):
        town.here = queue
        with queue.test_mode():
            assert flow.apply().result() == 12
            assert [job.result() for job in more.apply()] == [1, 5, 2]
    town.here = town.right
    flow.apply()
    assert pending(town) == [0, 5]


def test_schedules_and_hooks_reach_every_queue_and_what_comes_later_too(town: Town) -> None:
    heard: list[str] = []

    @town.declared.periodic("0 3 * * *", name="early")
    def early() -> None: ...

    town.bind()

    @town.declared.periodic(every=60, name="further")
    @town.declared.task
    def late() -> None: ...

    @town.declared.before_task
    def listen(task_name: str, _args: object, _kwargs: object) -> None:
        heard.append(f"{task_name} {current_job.id}")

    for queue in (town.left, town.right):
        rows = {row["name"]: row["task_name"] for row in queue.list_periodic()}
        assert rows == {"early": "early", "further": late.name}
        with queue.test_mode():
            queue.enqueue("early")
    assert len(heard) == 2


def test_mistakes_are_found_where_they_are_made(town: Town) -> None:
    mistake: dict[str, Any] = {"retries": 3}
    with pytest.raises(TypeError, match="unknown option 'retries'"):
        town.declared.task(**mistake)
    with pytest.raises(ValueError, match="cron"):
        town.declared.periodic("61 * * * *")

    async def hook(*_: object) -> None: ...

    with pytest.raises(TypeError, match="plain functions"):
        town.declared.on_success(hook)
    town.bind()
    assert not town.left._task_registry
