"""``flask taskito``: every command, with the queue of the application."""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import FlaskGroup

from taskito.cli._context import Context
from taskito.cli._run import _BUILTIN
from taskito_flask import Taskito
from tests.flask.support import make_app, queue_of, work_until


def flask(app: Flask, *argv: str) -> Result:
    """Run ``flask taskito ARGV`` in this process."""
    return made_by(lambda: app, *argv)


def made_by(factory: Callable[[], Flask], *argv: str) -> Result:
    """Do it with an application that is made when it is needed."""
    return CliRunner().invoke(FlaskGroup(create_app=factory), ["taskito", *argv], prog_name="flask")


class Jobs:
    """Ids of jobs in all states, in the queue of an application."""

    def __init__(self, taskito: Taskito) -> None:
        @taskito.task("good")
        def good() -> int:
            return 1

        @taskito.task("bad", max_retries=0)
        def bad() -> None:
            raise ValueError("no")

        @taskito.periodic("0 3 * * *", name="nightly")
        def nightly() -> None: ...

        self.done = good.delay().id
        self.dead = bad.delay().id
        self.also_dead = bad.delay().id
        work_until(taskito.queue, self.done, self.dead, self.also_dead)
        self.waiting = good.apply_async(delay=600).id
        letters = {row["original_job_id"]: row["id"] for row in taskito.queue.dead_letters()}
        self.letter, self.other_letter = letters[self.dead], letters[self.also_dead]


@pytest.fixture
def jobs(app: Flask, taskito: Taskito) -> Jobs:
    assert "taskito" in app.extensions
    return Jobs(taskito)


COMMANDS = [
    ("info", 0, "dead         2"),
    ("jobs list --status dead", 0, "{dead}"),
    ("jobs show {done}", 0, "good"),
    ("jobs show none", 3, "job not found"),
    ("jobs why {waiting}", 0, ""),
    ("jobs logs {done}", 0, ""),
    ("jobs cancel {waiting}", 0, ""),
    ("jobs cancel {done}", 1, ""),
    ("jobs retry {done}", 0, ""),
    ("dead list", 0, "{letter}"),
    ("dead retry {letter}", 0, ""),
    ("dead retry --all --yes", 0, ""),
    ("dead delete {letter}", 0, ""),
    ("dead purge", 2, "--yes"),
    ("dead purge --older-than 0 --yes", 0, ""),
    ("failures list", 0, "bad"),
    ("failures show none", 3, "group of failures not found"),
    ("mark v1.4", 0, ""),
    ("periodic list", 0, "nightly"),
    ("periodic pause nightly", 0, "paused"),
    ("periodic resume nightly", 0, "resumed"),
    ("periodic trigger nightly", 0, "-"),
    ("periodic next nightly -n 2", 0, "03:00:00"),
    ("periodic next unknown", 3, "unknown"),
    ("queues list", 0, "default"),
    ("queues pause default", 0, ""),
    ("queues resume default", 0, ""),
    ("workers list", 0, "no worker runs"),
    ("workers drain none", 3, "worker not found"),
    ("purge --older-than 0 --yes", 0, "deleted 1 jobs"),
    ("check", 0, "all that waits can run"),
    ("doctor", 0, "integrity"),
    ("snapshot {folder}/copy.db", 0, "copy.db"),
    ("version", 0, "taskito-flask"),
    ("", 2, "usage: "),
    ("jobs", 2, "usage: "),
    ("launch", 2, "invalid choice"),
    ("jobs list --colour red", 2, "unrecognized arguments"),
    ("--version", 0, "taskito "),
]


@pytest.mark.parametrize(("line", "code", "text"), COMMANDS)
def test_every_command_has_its_exit_code(
    app: Flask, jobs: Jobs, line: str, code: int, text: str
) -> None:
    facts = {**vars(jobs), "folder": app.instance_path}

    done = flask(app, *line.format(**facts).split())

    assert done.exit_code == code, done.output
    assert text.format(**facts) in done.output
    assert queue_of(app).stats()["dead"] in {0, 2}, "the queue can be used afterwards"


def test_no_command_is_left_out() -> None:
    tried = {line.split()[0] for line, _, _ in COMMANDS if line}

    assert set(_BUILTIN) - {"worker"} <= tried


@pytest.mark.parametrize(
    ("argv", "usage"),
    [
        (["--help"], "flask taskito [-h]"),
        (["-h"], "taskito [-h]"),
        (["worker", "--help"], "taskito worker [-h]"),
        (["jobs", "--help"], "taskito jobs [-h]"),
        (["jobs", "list", "--help"], "taskito jobs list [-h]"),
        (["dashboard", "--help"], "taskito dashboard [-h]"),
    ],
)
def test_help_works_at_every_level_without_an_application(argv: list[str], usage: str) -> None:
    def never() -> Flask:
        raise AssertionError("help needs no application")

    done = made_by(never, *argv)

    assert done.exit_code == 0, done.output
    assert usage in done.output
    assert "Flask's own" in " ".join(done.output.split())


def test_commands_of_other_packages_have_the_queue_too(
    app: Flask, jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def register(parser: ArgumentParser) -> Callable[[Namespace, Context], int]:
        """Say what waits."""
        parser.add_argument("--factor", type=int)

        def command(args: Namespace, context: Context) -> int:
            with context.queue() as queue:
                context.console.data(f"waiting: {queue.stats()['pending'] * args.factor}")
            return 7

        return command

    class Entry:
        name, value, load = "count", "any:register", staticmethod(lambda: register)

    assert jobs.waiting
    monkeypatch.setattr("taskito.cli._plugins.entry_points", lambda **_: [Entry])
    done = flask(app, "count", "--factor", "3")

    assert (done.exit_code, done.output) == (7, "waiting: 3\n")


def test_json_is_one_document(app: Flask, jobs: Jobs) -> None:
    shown = flask(app, "jobs", "show", jobs.dead, "--json")
    missing = flask(app, "--json", "jobs", "show", "none")

    assert json.loads(shown.stdout)["status"] == "dead"
    assert missing.exit_code == 3
    assert set(json.loads(missing.output)) == {"error", "hint"}


def test_db_names_another_file(app: Flask, jobs: Jobs, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    queue_of(app).snapshot(copy)
    queue_of(app).cancel_job(jobs.waiting)

    assert "pending      1" in flask(app, "info", "--db", str(copy)).output
    assert "pending      0" in flask(app, "info").output


def test_another_name_for_the_group_can_be_chosen(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    Taskito(app, cli_group="jobs")

    done = app.test_cli_runner().invoke(args=["jobs", "info", "-h"])

    assert done.exit_code == 0, done.output
    assert "jobs info [-h]" in done.output


class TestWhatIsWrong:
    def test_an_app_without_the_extension(self) -> None:
        done = flask(Flask("bare"), "info")

        assert done.exit_code == 1
        assert done.output == (
            "Error: application 'bare' has no queue of this extension\n"
            "hint: call init_app(app) where the application is created\n"
        )

    def test_a_factory_that_raises(self) -> None:
        def broken() -> Flask:
            raise ZeroDivisionError("no luck")

        done = made_by(broken, "info", "--json")

        assert done.exit_code == 1
        said: dict[str, Any] = json.loads(done.output)
        assert said["error"] == "the application cannot be loaded: ZeroDivisionError: no luck"
        assert f"raised at {__file__}:" in said["hint"]

    def test_a_setting_that_cannot_work(self, tmp_path: Path) -> None:
        def factory() -> Flask:
            app = make_app(tmp_path, TASKITO_WORKERS="many")
            Taskito(app)
            return app

        done = made_by(factory, "info")

        assert done.exit_code == 1
        assert "Error: TASKITO_WORKERS must be a whole number from 0, got 'many'" in done.output


def test_this_process_does_not_count_as_that_of_the_command(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("taskito.cli.hosting._insist_on_exit", ended.append)

    flask(app, "info")
    assert ended == []
    monkeypatch.setattr(sys, "argv", ["flask", "--app", "any", "taskito", "info"])
    flask(app, "info")
    assert ended == [0]
