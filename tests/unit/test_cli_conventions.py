"""What holds for every command: JSON, colour, durations, questions, plug-ins that fail."""

import json
import sys
from pathlib import Path

import pytest

from taskito import Queue
from taskito.cli import main
from tests.support.command import Terminal, command

Out = pytest.CaptureFixture[str]


@pytest.fixture
def database(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> Queue:
    """A queue that commands find without a flag."""
    queue.stats()
    monkeypatch.setenv("TASKITO_DB_PATH", queue.db_path)
    return queue


class TestJson:
    @pytest.mark.parametrize(
        ("argv", "code"),
        [
            ([], 2),
            (["jobs"], 2),
            (["nonsense"], 2),
            (["info", "--bogus"], 2),
            (["jobs", "show"], 2),
            (["jobs", "list", "--status", "lost"], 2),
            (["jobs", "list", "--since", "soon"], 2),
            (["purge"], 2),
            (["check"], 2),
            (["info", "--watch"], 2),
            (["info", "--app", "nowhere:queue"], 1),
            (["info", "--app", "nowhere"], 1),
            (["info", "--db", "none.db"], 1),
            (["jobs", "show", "nobody"], 3),
            (["jobs", "retry", "nobody"], 3),
            (["dead", "retry", "nobody"], 3),
            (["dead", "delete", "nobody"], 3),
            (["periodic", "pause", "nobody"], 3),
            (["queues", "pause", "nobody"], 3),
            (["workers", "drain", "nobody"], 3),
            (["snapshot", "jobs.db"], 1),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    @pytest.mark.usefixtures("database")
    def test_an_error_is_one_document_on_stderr_and_none_on_stdout(
        self, argv: list[str], code: int, capsys: Out
    ) -> None:
        assert command("--json", *argv) == code
        told = capsys.readouterr()
        assert told.out == ""
        document = json.loads(told.err)
        assert list(document) == ["error", "hint"]
        assert document["error"]

    @pytest.mark.parametrize(
        "argv",
        [
            ["info"],
            ["version"],
            ["jobs", "list"],
            ["dead", "list"],
            ["dead", "retry", "--all", "--yes"],
            ["dead", "purge", "--yes"],
            ["periodic", "list"],
            ["periodic", "next", "@daily"],
            ["queues", "list"],
            ["queues", "pause", "default"],
            ["workers", "list"],
            ["purge", "--yes"],
            ["doctor"],
            ["snapshot", "copy.db"],
        ],
        ids=" ".join,
    )
    @pytest.mark.usefixtures("database")
    def test_an_answer_is_exactly_one_document_on_stdout(
        self, argv: list[str], capsys: Out
    ) -> None:
        assert command("--json", *argv) == 0
        told = capsys.readouterr()
        assert json.loads(told.out) is not None
        assert told.err == ""


class TestColour:
    def told(self, monkeypatch: pytest.MonkeyPatch, *flags: str) -> str:
        """What a command that fails tells a terminal."""
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        assert command(*flags, "--db", "none.db") == 1
        return terminal.getvalue()

    def test_is_for_terminals(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told = self.told(monkeypatch, "info")
        assert told.startswith("\x1b[31mError:\x1b[0m no database")

    def test_is_not_for_files_and_pipes(self, capsys: Out) -> None:
        assert command("info", "--db", "none.db") == 1
        assert capsys.readouterr().err.startswith("Error: no database")

    @pytest.mark.parametrize("flags", [["--no-color", "info"], ["info", "--no-color"]])
    def test_can_be_refused_by_a_flag(
        self, monkeypatch: pytest.MonkeyPatch, flags: list[str]
    ) -> None:
        assert self.told(monkeypatch, *flags).startswith("Error: no database")

    @pytest.mark.parametrize(("value", "colour"), [("1", False), ("0", False), ("", True)])
    def test_can_be_refused_by_a_variable(
        self, monkeypatch: pytest.MonkeyPatch, value: str, *, colour: bool
    ) -> None:
        monkeypatch.setenv("NO_COLOR", value)
        assert ("\x1b" in self.told(monkeypatch, "info")) is colour


class TestDurations:
    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("90", "90 s"),
            ("30s", "30 s"),
            ("15m", "15 min"),
            ("12h", "12 h"),
            ("7d", "7 d"),
            ("1.5m", "90 s"),
        ],
    )
    @pytest.mark.usefixtures("database")
    def test_have_units(
        self, text: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: Out
    ) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
        assert command("purge", "--older-than", text) == 1
        assert f"more than {told} ago" in capsys.readouterr().err

    @pytest.mark.parametrize("text", ["soon", "1w", "", "s", "nan", "inf", "infd"])
    def test_anything_else_is_a_usage_error(self, text: str, capsys: Out) -> None:
        assert command("purge", "--older-than", text, "--yes") == 2
        assert f"not a duration: {text!r}; write 90, 30s, 15m" in capsys.readouterr().err


class TestQuestions:
    @pytest.mark.parametrize(
        "verb", [["purge"], ["dead", "purge"], ["dead", "retry", "--all"]], ids=" ".join
    )
    @pytest.mark.usefixtures("database")
    def test_are_asked_on_a_terminal_on_stderr_and_yes_goes_on(
        self, verb: list[str], monkeypatch: pytest.MonkeyPatch, capsys: Out
    ) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal("yes\n"))
        assert command(*verb) == 0
        told = capsys.readouterr()
        assert told.err.endswith(" [y/N] ")
        assert "[y/N]" not in told.out


def install(site: Path, name: str, source: str) -> None:
    """Make a package count as installed that adds a command."""
    (site / f"{name}_plugin.py").write_text(source)
    info = site / f"{name}_plugin-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n")
    entry_point = f"[taskito.cli]\n{name} = {name}_plugin:register\n"
    (info / "entry_points.txt").write_text(entry_point)


ECHO = """
def register(parser):
    parser.add_argument("words", nargs="*")
    parser.add_argument("--say", default="")
    def echo(args, context):
        context.console.data(" ".join([*args.words, args.say]))
        return 0
    return echo
"""


class TestPlugins:
    @pytest.fixture
    def site(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        place = tmp_path / "site"
        place.mkdir()
        monkeypatch.setattr(sys, "path", [str(place), *sys.path])
        install(place, "echo", ECHO)
        return place

    @pytest.mark.parametrize(
        "argv",
        [
            ["echo", "worker"],
            ["echo", "--say", "info"],
            ["--db", "jobs", "echo", "x"],
            ["--app", "check:queue", "--quiet", "echo", "jobs"],
        ],
    )
    @pytest.mark.usefixtures("site")
    def test_words_of_a_plugin_may_be_names_of_our_commands(
        self, argv: list[str], capsys: Out
    ) -> None:
        main(argv)
        assert capsys.readouterr().out.split() == [argv[-1]]

    @pytest.mark.parametrize(
        "source",
        [
            "raise RuntimeError('not today')",
            "raise SystemExit('not today')",
            "def register(parser):\n    raise RuntimeError('not today')",
            "def register(parser):\n    raise SystemExit('not today')",
        ],
    )
    def test_one_that_fails_is_reported_and_breaks_no_other(
        self, site: Path, source: str, capsys: Out
    ) -> None:
        install(site, "bad", source)
        main(["echo", "hello"])
        told = capsys.readouterr()
        assert told.out == "hello \n"
        assert "the command 'bad' (bad_plugin:register) cannot be loaded: " in told.err
        assert "not today" in told.err
        assert command("bad") in {1, 2}
        sys.modules.pop("bad_plugin", None)

    def test_ours_cannot_be_replaced(self, site: Path, database: Queue, capsys: Out) -> None:
        install(site, "info", ECHO)
        assert command("info", "--db", database.db_path) == 0
        assert command("--help") == 0
        assert "how many jobs there are" in capsys.readouterr().out
