"""Building signatures, chains, groups and chords, and what they store. Nothing runs here.

Long, as what each of them may hold is told for all of them.
"""

import asyncio
import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, assert_type, cast

import pytest

from taskito import (
    BoundTask,
    JobResult,
    Queue,
    SerializationError,
    Signature,
    TaskWrapper,
    chain,
    chord,
    chunks,
    group,
    starmap,
)
from taskito._core import JobRow
from taskito._plan import Plan
from taskito.canvas import Canvas

Build: TypeAlias = Callable[..., Any]


@pytest.fixture
def add(queue: Queue) -> TaskWrapper[[int, int], int]:
    @queue.task(name="add", priority=3)
    def add(a: int, b: int = 0) -> int:
        return a + b

    return add


@pytest.fixture
def show(queue: Queue) -> TaskWrapper[..., str]:
    @queue.task(name="show")
    def show(*args: object) -> str:
        return str(args)

    return show


def row(queue: Queue, job: JobResult[Any] | str) -> JobRow:
    with queue._database as store:
        found = store.job(job if isinstance(job, str) else job.id)
    assert found is not None
    return found


class TestSignature:
    def test_s_and_si_keep_what_they_were_given(self, add: TaskWrapper[[int, int], int]) -> None:
        signature = add.s(1, b=2)
        assert signature == Signature(add, (1,), {"b": 2})
        assert signature.task is add
        assert signature.args == (1,)
        assert signature.kwargs == {"b": 2}
        assert signature.options == {}
        assert signature.immutable is False
        assert add.si(1).immutable is True

    def test_it_is_frozen_and_owns_its_containers(self, add: TaskWrapper[[int, int], int]) -> None:
        args, kwargs, options = [1], {"b": 2}, {"priority": 5}
        signature = Signature(add, cast("tuple[int]", args), kwargs, options)
        args[0], kwargs["b"], options["priority"] = 7, 7, 7
        assert (signature.args, signature.kwargs) == ((1,), {"b": 2})
        assert signature.options == {"priority": 5}
        with pytest.raises(dataclasses.FrozenInstanceError):
            signature.immutable = True  # type: ignore[misc]

    def test_set_returns_a_copy_with_merged_options(
        self, add: TaskWrapper[[int, int], int]
    ) -> None:
        signature = add.s(1).set(priority=5, delay=2)
        changed = signature.set(delay=3, queue="slow", priority=None)
        assert signature.options == {"priority": 5, "delay": 2}
        assert changed.options == {"priority": 5, "delay": 3, "queue": "slow"}
        assert changed.args == (1,)

    def test_a_bound_task_gives_its_options_to_its_signatures(
        self, add: TaskWrapper[[int, int], int]
    ) -> None:
        bound: BoundTask[..., int] = add.options(priority=5).options(delay=2)
        for signature in (bound.s(1), bound.si(1)):
            assert signature.task is add
            assert signature.options == {"priority": 5, "delay": 2}
        assert add.s(1).options == {}

    @pytest.mark.parametrize("task", [len, "add", None])
    def test_something_that_is_no_task_is_refused(self, task: object) -> None:
        with pytest.raises(TypeError, match=r"must be a task of a queue[\s\S]*hint: put @queue"):
            Signature(cast("Any", task))

    def test_bad_arguments_and_options_are_refused_at_once(
        self, add: TaskWrapper[[int, int], int]
    ) -> None:
        make = cast("Build", Signature)
        with pytest.raises(TypeError, match="args must be a sequence of arguments"):
            make(add, "text")
        with pytest.raises(TypeError, match="kwargs must be a mapping"):
            make(add, (), [1])
        with pytest.raises(TypeError, match="unknown option 'prio' for a step of 'add'"):
            add.s(1).set(prio=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        with pytest.raises(ValueError, match="max_retries must be between"):
            add.s(1).set(max_retries=-1)

    def test_apply_stores_one_job(self, queue: Queue, add: TaskWrapper[[int, int], int]) -> None:
        job = add.s(1, 2).apply()
        assert job.status == "pending"
        assert queue.stats()["pending"] == 1

    def test_arguments_that_do_not_fit_store_nothing(
        self, queue: Queue, add: TaskWrapper[[int, int], int], show: TaskWrapper[..., str]
    ) -> None:
        with pytest.raises(TypeError, match="these arguments do not fit 'add'"):
            add.s().apply()
        with pytest.raises(
            TypeError, match=r"too many positional[\s\S]*hint: .*; the result of what comes before"
        ):
            chain(add.s(1, 2), add.s(1, 2)).apply()
        with pytest.raises(SerializationError):
            chain(add.s(1, 2), show.s(threading.Lock())).apply()
        chain(add.s(1, 2), add.si(1, 2)).apply()
        assert queue.stats()["pending"] == 2


class TestBuild:
    def test_parts_are_given_one_by_one_or_as_one_iterable(
        self, add: TaskWrapper[[int, int], int]
    ) -> None:
        parts = [add.s(number) for number in range(3)]
        assert chain(*parts).signatures == parts
        assert chain(parts).signatures == parts
        assert chain(part for part in parts).signatures == parts
        assert group(*parts).signatures == parts
        assert group(tuple(parts)).signatures == parts
        assert group(part for part in parts).signatures == parts
        assert chain(parts[0]).signatures == parts[:1]

    def test_a_pipe_builds_one_flat_chain(self, add: TaskWrapper[[int, int], int]) -> None:
        a, b, c, d = (add.s(number) for number in range(4))
        assert (a | b).signatures == [a, b]
        assert ((a | b) | (c | d)).signatures == [a, b, c, d]
        members = group(b, c)
        assert (a | members | d).signatures == [a, members, d]
        assert (members | chord(members, d)).signatures[0] is members
        with pytest.raises(TypeError, match="unsupported operand"):
            a | 3  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue, reportUnusedExpression]

    def test_a_chord_has_a_group_and_a_callback(self, add: TaskWrapper[[int, int], int]) -> None:
        a, b, callback = (add.s(number) for number in range(3))
        header = group(a, b, max_concurrency=1)
        made = chord(header, callback)
        assert made.group is header
        assert made.callback is callback
        assert chord([a, b], callback).group.signatures == [a, b]
        assert chord((part for part in (a, b)), callback).group.signatures == [a, b]
        steps = chain(a, b)
        assert chord(steps, callback).group.signatures == [steps]
        assert chord(a, callback).group.signatures == [a]

    @pytest.mark.parametrize("parts", [(), ([],), (iter(()),)])
    def test_empty_ones_are_refused(self, parts: tuple[Any, ...]) -> None:
        with pytest.raises(ValueError, match=r"^chain requires at least one signature$"):
            chain(*parts)
        with pytest.raises(ValueError, match=r"^group requires at least one signature$"):
            group(*parts)

    def test_an_empty_header_is_refused(self, add: TaskWrapper[[int, int], int]) -> None:
        with pytest.raises(ValueError, match="group requires at least one signature"):
            chord([], add.s())

    def test_parts_that_are_no_canvas_are_refused(self, add: TaskWrapper[[int, int], int]) -> None:
        builders: list[Build] = [chain, group, lambda *parts: chord(parts, add.s())]
        for build in builders:
            with pytest.raises(TypeError, match=r"must be a signature, chain, group or chord, got"):
                build(add.s(1), add)
        with pytest.raises(TypeError, match=r"the callback of a chord must be a signature"):
            chord([add.s(1)], cast("Any", add))

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_limit_below_one_is_refused(
        self, add: TaskWrapper[[int, int], int], limit: int
    ) -> None:
        with pytest.raises(ValueError, match="max_concurrency must be between 1"):
            group(add.s(1), max_concurrency=limit)
        assert group(add.s(1)).max_concurrency is None
        assert group(add.s(1), max_concurrency=2).max_concurrency == 2

    def test_chunks_slices_any_iterable(self, show: TaskWrapper[..., str]) -> None:
        made = chunks(show, range(5), 2)
        assert isinstance(made, group)
        assert made.signatures == [show.s([0, 1]), show.s([2, 3]), show.s([4])]
        assert chunks(show, iter("abc"), 5).signatures == [show.s(["a", "b", "c"])]
        with pytest.raises(ValueError, match="chunk_size must be between 1"):
            chunks(show, [1], 0)
        with pytest.raises(ValueError, match="group requires at least one signature"):
            chunks(show, [], 2)

    def test_starmap_calls_with_each_entry(self, show: TaskWrapper[..., str]) -> None:
        made = starmap(show, [(1, 2), [3], iter((4, 5))])
        assert made.signatures == [show.s(1, 2), show.s(3), show.s(4, 5)]
        with pytest.raises(TypeError, match="got the str 'ab'"):
            starmap(show, ["ab"])
        with pytest.raises(ValueError, match="group requires at least one signature"):
            starmap(show, [])

    def test_repr_shows_the_parts(self, add: TaskWrapper[[int, int], int]) -> None:
        shown = repr(chord(group(add.s(1), max_concurrency=2), add.s() | add.si(2)))
        assert shown.startswith("chord(group(Signature(task=<TaskWrapper 'add'>, args=(1,)")
        assert "max_concurrency=2" in shown
        assert "chain(" in shown


class TestApply:
    def test_every_job_shares_the_workflow_of_the_first(
        self, queue: Queue, show: TaskWrapper[..., str]
    ) -> None:
        last = chain(show.s(1), group(show.s(2), show.s(3)), show.s(4)).apply()
        jobs = queue.list_jobs()
        assert len(jobs) == 4
        assert {row(queue, job).workflow_id for job in jobs} == {jobs[-1].id}
        other = show.s(1).apply()
        assert row(queue, other).workflow_id == other.id
        assert row(queue, show.delay()).workflow_id is None
        assert row(queue, last).workflow_id == jobs[-1].id

    def test_each_step_depends_on_the_one_before(
        self, queue: Queue, show: TaskWrapper[..., str]
    ) -> None:
        chain(show.s(1), show.si(2), show.s(3)).apply()
        third, second, first = queue.list_jobs()
        assert first.dependencies == []
        assert second.dependencies == [first.id]
        assert third.dependencies == [second.id]
        assert first.dependents == [second.id]
        assert first.to_dict()["status"] == second.to_dict()["status"] == "pending"

    def test_groups_fan_out_and_in(self, show: TaskWrapper[..., str]) -> None:
        members = (show.s(1) | group(show.s(2), group(show.s(3), show.s(4) | show.s(5)))).apply()
        assert len(members) == 3
        starts = {tuple(job.dependencies) for job in members[:2]}
        assert len(starts) == 1
        (before,) = members[2].dependencies
        assert before not in {job.id for job in members}

    def test_a_group_after_a_group_receives_all_of_it(self, show: TaskWrapper[..., str]) -> None:
        first, second = group(show.s(1), show.s(2)), group(show.s(3), show.s(4))
        one, other = chain(first, second).apply()
        assert len(one.dependencies) == 2
        assert one.dependencies == other.dependencies

    def test_a_chord_stands_for_its_callback(self, show: TaskWrapper[..., str]) -> None:
        header = [show.s(1), chord([show.s(2), show.s(3)], show.s("inner"))]
        job = chord(header, show.s("outer")).apply()
        assert isinstance(job, JobResult)
        assert len(job.dependencies) == 2

    def test_options_go_over_the_decorator_and_the_decorator_over_the_queue(
        self, queue: Queue, add: TaskWrapper[[int, int], int]
    ) -> None:
        plain, special = group(
            add.s(1, 2),
            add.s(1, 2).set(priority=9, queue="slow", max_retries=0, timeout=5, metadata={"a": 1}),
        ).apply()
        assert (plain.priority, plain.queue, plain.max_retries) == (3, "default", 3)
        assert (special.priority, special.queue, special.max_retries) == (9, "slow", 0)
        assert special.metadata == '{"a":1}'
        assert row(queue, special).timeout_ms == 5000

    def test_dependencies_of_a_step_come_beside_what_it_receives(
        self, queue: Queue, show: TaskWrapper[..., str]
    ) -> None:
        other = show.delay()
        job = chain(show.s(1), show.s(2).set(depends_on=other)).apply()
        assert len(job.dependencies) == 2
        assert job.dependencies[1] == other.id
        assert row(queue, job).waiting_on == 2

    @pytest.mark.parametrize("option", ["unique_key", "idempotency_key"])
    def test_a_key_on_a_step_that_receives_a_result_is_refused(
        self, queue: Queue, show: TaskWrapper[..., str], option: Any
    ) -> None:
        keyed = cast("Any", show.s(2)).set(**{option: "k"})
        with pytest.raises(ValueError, match=rf"{option} 'k' is set on a step of 'show' that rec"):
            chain(show.s(1), keyed).apply()
        with pytest.raises(ValueError, match=r"hint: set it on the first step"):
            chord([show.s(1)], keyed).apply()
        assert queue.stats()["pending"] == 0
        fixed = cast("Any", show.si(2)).set(**{option: "k"})
        chain(show.s(1), fixed).apply()
        assert queue.stats()["pending"] == 2

    def test_a_first_step_with_a_key_may_be_a_job_that_exists(
        self, queue: Queue, show: TaskWrapper[..., str]
    ) -> None:
        earlier = show.options(unique_key="k").delay()
        job = chain(show.s(1).set(unique_key="k"), show.s(2)).apply()
        assert job.dependencies == [earlier.id]
        assert queue.stats()["pending"] == 2
        assert row(queue, earlier).workflow_id is None
        assert show.s(1).set(unique_key="k").apply().deduplicated

    def test_another_queue_may_be_named(
        self, queue: Queue, add: TaskWrapper[[int, int], int], tmp_path: Path
    ) -> None:
        with Queue(tmp_path / "other.db", default_priority=1) as other:
            job = chain(add.s(1, 2), add.s(3)).apply(other)
            assert queue.stats()["pending"] == 0
            assert other.stats()["pending"] == 2
            assert job.priority == 3, "a task that it does not know keeps its settings"

            @other.task(name="add", priority=7)
            def _other_add(a: int, b: int) -> int:
                return a + b

            assert add.s(1, 2).apply(queue=other).priority == 7

    def test_the_name_of_a_queue_is_no_queue(self, add: TaskWrapper[..., Any]) -> None:
        with pytest.raises(TypeError, match=r"a Queue object, got 'mail'\nhint: \.set\(queue="):
            add.s(1, 2).apply(queue="mail")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]

    def test_tasks_of_several_queues_need_a_queue(
        self, add: TaskWrapper[[int, int], int], tmp_path: Path
    ) -> None:
        with Queue(tmp_path / "other.db") as other:

            @other.task(name="elsewhere")
            def elsewhere(number: int) -> int:
                return number

            mixed = chain(add.s(1, 2), elsewhere.s())
            with pytest.raises(ValueError, match=r"of several: 'add', 'elsewhere'[\s\S]*hint: "):
                mixed.apply()
            assert mixed.apply(other).status == "pending"

    def test_the_same_canvas_may_be_applied_again(
        self, queue: Queue, add: TaskWrapper[[int, int], int]
    ) -> None:
        steps = add.s(1, 2) | add.s(3)
        assert steps.apply().id != steps.apply().id
        assert queue.stats()["pending"] == 4

    def test_depth_is_not_limited_by_the_call_stack(
        self, queue: Queue, add: TaskWrapper[[int, int], int]
    ) -> None:
        steps: chain[Any] = chain(add.s(1, 2))
        for _ in range(2000):
            steps = chain(group(steps), add.si(1, 2))
        assert isinstance(steps.apply(), JobResult)
        assert queue.stats()["pending"] == 2001

    def test_aapply_does_the_same(self, queue: Queue, add: TaskWrapper[[int, int], int]) -> None:
        async def main() -> None:
            step = add.s(1, 2)
            assert (await step.aapply()).status == "pending"
            assert (await chain(step, add.s(3)).aapply(queue)).dependencies
            assert len(await group(step, step).aapply()) == 2
            assert (await chord([step], add.si(1, 2)).aapply(queue=queue)).dependencies

        asyncio.run(main())
        assert queue.stats()["pending"] == 7

    def test_on_enqueue_hears_of_every_step(
        self, queue: Queue, add: TaskWrapper[[int, int], int]
    ) -> None:
        heard: list[tuple[Any, ...]] = []

        @queue.on_enqueue
        def _listen(name: str, args: Any, kwargs: Any, options: dict[str, Any]) -> None:
            heard.append((name, args, kwargs, options["priority"]))
            options["metadata"] = "heard"

        job = chain(add.s(1, b=2), add.s(3).set(priority=9)).apply()
        assert heard == [("add", (1,), {"b": 2}, 3), ("add", (3,), {}, 9)]
        assert job.metadata == "heard"


class TestLimits:
    def groups(self, canvas: Canvas[Any]) -> list[tuple[tuple[int, int], ...]]:
        return [step.groups for step in Plan(canvas).steps]

    def test_every_job_of_a_member_is_in_the_limited_group(
        self, show: TaskWrapper[..., str]
    ) -> None:
        step = show.s()
        members = group(step, step | step, chord([step], step), max_concurrency=2)
        inside = ((1, 2),)
        assert self.groups(chain(step, members, step)) == [(), *[inside] * 5, ()]

    def test_groups_without_a_limit_are_none(self, show: TaskWrapper[..., str]) -> None:
        assert self.groups(group(show.s(), group(show.s()))) == [(), ()]

    def test_a_group_in_a_group_is_in_both(self, show: TaskWrapper[..., str]) -> None:
        inner = group(show.s(), max_concurrency=1)
        outer = group(show.s(), inner, chain(show.s(), inner), max_concurrency=3)
        around = (1, 3)
        assert self.groups(outer) == [
            (around,),
            (around, (2, 1)),
            (around,),
            (around, (3, 1)),
        ]


def test_types_survive(add: TaskWrapper[[int, int], int], show: TaskWrapper[..., str]) -> None:
    both = group(add.s(1), show.s(1))
    assert_type(add.s(1, 2), Signature[int])
    assert_type(add.options(priority=3).si(1).set(delay=3), Signature[int])
    assert_type(chain(add.s(1, 2), show.s()).apply(), JobResult[str])
    assert_type((add.s(1, 2) | show.s()).apply(), JobResult[str])
    assert_type(chain(show.s(1), both).apply(), list[JobResult[Any]])
    assert_type(both.apply(), list[JobResult[Any]])
    assert_type((both | show.s(1)).apply(), JobResult[str])
    assert_type(chord(both, show.s()).apply(), JobResult[str])
    assert_type(chord([add.s(1, 2)], chain(show.s(), both)).apply(), list[JobResult[Any]])
