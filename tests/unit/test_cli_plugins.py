"""Commands that other packages add to the ``taskito`` command."""

import sys
from pathlib import Path

import pytest

from taskito.cli import main

PLUGIN = '''
def register(parser):
    """Count what waits."""
    parser.add_argument("--factor", type=int, default=1)

    def count(args, context):
        with context.queue() as queue:
            context.console.data(str(queue.stats()["pending"] * args.factor))
        return 7

    return count
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which packages count as installed."""
    place = tmp_path / "site"
    place.mkdir()
    monkeypatch.syspath_prepend(place)
    monkeypatch.setattr(sys, "path", [str(place), *sys.path])
    return place


def install(site: Path, command: str, module: str, source: str) -> None:
    (site / f"{module}.py").write_text(source)
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[taskito.cli]\n{command} = {module}:register\n")


def failing(*argv: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert isinstance(caught.value.code, int)
    return caught.value.code


def stored(path: Path) -> str:
    from taskito import Queue

    with Queue(path) as queue:
        queue.enqueue("any")
    return str(path)


def test_a_plugin_has_its_arguments_the_global_flags_and_its_exit_code(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "count", "count_plugin", PLUGIN)
    db = stored(tmp_path / "jobs.db")
    assert failing("count", "--db", db, "--factor", "3") == 7
    assert capsys.readouterr().out == "3\n"


def test_help_shows_what_a_plugin_is_for(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(site, "count", "count_plugin", PLUGIN)
    assert failing("-h") == 0
    assert "Count what waits." in capsys.readouterr().out


def test_a_broken_plugin_is_reported_and_breaks_no_other(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "count", "count_plugin", PLUGIN)
    install(site, "bad", "bad_plugin", "raise RuntimeError('not today')")
    db = stored(tmp_path / "jobs.db")
    assert failing("count", "--db", db) == 7
    said = capsys.readouterr()
    assert said.out == "1\n"
    assert "'bad' (bad_plugin:register) cannot be loaded: RuntimeError: not today" in said.err
    main(["info", "--db", db])
    assert "pending      1" in capsys.readouterr().out


@pytest.mark.usefixtures("site")
def test_without_the_page_its_command_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("taskito.cli._plugins.entry_points", lambda **_: ())
    assert failing("dashboard", "--port", "1") == 1
    assert "hint: pip install 'taskito[dashboard]'" in capsys.readouterr().err
