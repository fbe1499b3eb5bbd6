"""The Flask extension, with real applications, queues and workers."""

import asyncio
import gc
import weakref
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app

from taskito import chain, chord, group
from taskito_flask import Taskito
from tests.flask.support import make_app, queue_of, work_until


class TestInitApp:
    def test_it_opens_no_file(self, app: Flask) -> None:
        assert not Path(app.instance_path).exists()

    def test_the_constructor_does_the_same(self, tmp_path: Path) -> None:
        app = make_app(tmp_path)

        assert Taskito(app).queue is app.extensions["taskito"].queue

    def test_twice_with_one_app_is_an_error(self, app: Flask, taskito: Taskito) -> None:
        with pytest.raises(RuntimeError, match=r"'app' already has(.|\n)*hint: .* once"):
            taskito.init_app(app)

    def test_an_app_that_nobody_holds_is_freed(self, tmp_path: Path, taskito: Taskito) -> None:
        app = make_app(tmp_path)
        taskito.init_app(app)
        alive = weakref.ref(app)

        del app
        gc.collect()

        assert alive() is None


class TestDeclare:
    def test_a_task_stays_a_function(self, taskito: Taskito) -> None:
        @taskito.task
        def double(x: int) -> int:
            """Twice."""
            return 2 * x

        assert double(4) == 8
        assert double.__doc__ == "Twice."
        assert double.name.endswith("double")

    def test_options_and_name_are_those_of_the_queue(
        self, tmp_path: Path, taskito: Taskito
    ) -> None:
        @taskito.task("mail.send", max_retries=7, queue="mail")
        def send() -> None: ...

        app = make_app(tmp_path)
        taskito.init_app(app)
        with taskito.queue as queue:
            job = queue.get_job(send.delay().id)

            assert job is not None
            assert (job.task_name, job.queue) == ("mail.send", "mail")
            assert job.to_dict()["max_retries"] == 7

    def test_an_unknown_option_is_refused_at_once(self, taskito: Taskito) -> None:
        mistake: dict[str, Any] = {"retries": 7}

        with pytest.raises(TypeError, match="retries"):
            taskito.task(**mistake)

    def test_a_coroutine_function_runs_in_the_context_of_the_app(
        self, app: Flask, taskito: Taskito
    ) -> None:
        @taskito.task
        async def name() -> str:
            return current_app.import_name

        job = name.delay()
        work_until(taskito.queue, job.id)

        found: object = job.result(timeout=30)
        assert found == app.import_name

    def test_a_task_declared_after_the_app_belongs_to_it_too(
        self, app: Flask, taskito: Taskito
    ) -> None:
        @taskito.task
        def late() -> str:
            return "in time"

        job = late.delay()
        work_until(taskito.queue, job.id)

        assert app.extensions["taskito"].queue is taskito.queue
        assert job.result(timeout=30) == "in time"

    def test_arguments_that_do_not_fit_the_function_are_refused(
        self, app: Flask, taskito: Taskito
    ) -> None:
        @taskito.task
        def send(address: str) -> None: ...

        with pytest.raises(TypeError, match="do not fit"):
            send.delay("a", "b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        assert app.extensions["taskito"].queue.stats()["pending"] == 0


class TestResolve:
    def test_without_any_app_it_says_what_to_do(self, taskito: Taskito) -> None:
        with pytest.raises(RuntimeError, match=r"not bound(.|\n)*hint: call init_app"):
            _ = taskito.queue

    def test_the_only_app_needs_no_context(self, app: Flask, taskito: Taskito) -> None:
        assert taskito.queue is app.extensions["taskito"].queue

    def test_of_several_apps_the_current_one_counts(self, tmp_path: Path, taskito: Taskito) -> None:
        @taskito.task
        def ping() -> None: ...

        apps = [make_app(tmp_path, name) for name in ("one", "two")]
        for app in apps:
            taskito.init_app(app)
        for app in apps:
            with app.app_context():
                ping.delay()
                assert taskito.queue is app.extensions["taskito"].queue

        queues = [app.extensions["taskito"].queue for app in apps]
        assert [queue.stats()["pending"] for queue in queues] == [1, 1]
        for queue in queues:
            queue.close()

    def test_several_apps_and_no_context_is_an_error(
        self, tmp_path: Path, taskito: Taskito
    ) -> None:
        apps = [make_app(tmp_path, name) for name in ("one", "two")]
        for app in apps:
            taskito.init_app(app)

        with pytest.raises(RuntimeError, match=r"2 applications(.|\n)*hint: .*app_context"):
            _ = taskito.queue

    def test_an_app_of_another_extension_is_an_error(self, app: Flask, tmp_path: Path) -> None:
        stranger = make_app(tmp_path, "other")
        other = Taskito(stranger)

        with (
            app.app_context(),
            pytest.raises(RuntimeError, match=r"'app' has no queue of this(.|\n)*hint:"),
        ):
            _ = other.queue

    def test_apps_that_a_test_has_dropped_do_not_count(
        self, tmp_path: Path, taskito: Taskito
    ) -> None:
        gc.disable()  # the dropped ones are in cycles and stay until it runs
        try:
            for name in ("one", "two"):
                taskito.init_app(make_app(tmp_path, name))
            app = make_app(tmp_path, "three")
            taskito.init_app(app)

            assert taskito.queue is app.extensions["taskito"].queue
        finally:
            gc.enable()

    def test_the_current_app_counts_also_where_it_is_the_only_one_unknown(
        self, app: Flask, taskito: Taskito, tmp_path: Path
    ) -> None:
        @taskito.task
        def ping() -> None: ...

        stranger = make_app(tmp_path, "stranger")
        with (
            stranger.app_context(),
            pytest.raises(RuntimeError, match=r"'stranger' has no queue(.|\n)*hint: call init_app"),
        ):
            ping.delay()
        assert app.extensions["taskito"].queue.stats()["pending"] == 0


class TestImportTime:
    def test_canvas_schedules_and_hooks_come_before_any_app(
        self, tmp_path: Path, taskito: Taskito
    ) -> None:
        heard: list[str] = []

        @taskito.before_task
        def hear(task_name: str, _args: object, _kwargs: object) -> None:
            heard.append(f"{task_name} in {current_app.name}")

        @taskito.task("add")
        def add(a: int, b: int) -> int:
            return a + b

        @taskito.task("total")
        def total(numbers: list[int]) -> int:
            return sum(numbers)

        @taskito.periodic("0 3 * * *", name="nightly")
        def nightly() -> None: ...

        flow = chain(add.s(1, 2), group(add.s(n) for n in range(2)), total.s())
        also = chord([add.s(1, 1), add.s(2, 2)], total.s())
        with pytest.raises(RuntimeError, match=r"not bound(.|\n)*hint: call init_app"):
            flow.apply()

        apps = [make_app(tmp_path, name) for name in ("one", "two")]
        for app in apps:
            taskito.init_app(app)
            with app.app_context(), taskito.queue:
                jobs = flow.apply(), also.apply()
                work_until(taskito.queue, *(job.id for job in jobs))
                assert [job.result(timeout=30) for job in jobs] == [7, 6]
                assert [row["name"] for row in taskito.queue.list_periodic()] == ["nightly"]
                assert heard.count(f"total in {app.name}") == 2

    def test_two_extensions_in_one_process_do_not_mix(self, tmp_path: Path) -> None:
        shop, mail = Taskito(), Taskito()

        @shop.task("shop")
        def sell() -> None: ...

        @mail.task("mail")
        def send() -> None: ...

        apps = [make_app(tmp_path, name) for name in ("shop", "mail")]
        for extension, app in zip((shop, mail), apps, strict=True):
            extension.init_app(app)
        with shop.queue, mail.queue:
            sell.delay()
            send.delay()
            assert shop.queue.stats_by_queue() == mail.queue.stats_by_queue()
            assert [job.task_name for job in shop.queue.list_jobs()] == ["shop"]
            with pytest.raises(ValueError, match="of several"):
                chain(sell.si(), send.si()).apply()

    def test_an_app_may_have_tasks_of_its_own(self, app: Flask, taskito: Taskito) -> None:
        @taskito.queue.task
        def own() -> str:
            return current_app.name

        job = own.delay()
        work_until(taskito.queue, job.id)

        assert job.result(timeout=30) == app.name

    def test_coroutines_reach_the_current_app_too(self, tmp_path: Path, taskito: Taskito) -> None:
        @taskito.task
        def ping() -> None: ...

        apps = [make_app(tmp_path, name) for name in ("one", "two")]
        for app in apps:
            taskito.init_app(app)
        with apps[1].app_context():
            asyncio.run(ping.adelay())
            asyncio.run(ping.s().aapply())

        assert [queue_of(app).stats()["pending"] for app in apps] == [0, 2]
        for app in apps:
            queue_of(app).close()
