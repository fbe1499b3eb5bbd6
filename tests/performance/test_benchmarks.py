"""The programs that measure: they run, say what is missing, and calculate what they claim."""

import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from benchmarks import environments, plot, report, systems
from benchmarks.environments import Environments
from benchmarks.options import LONG, SHORT, parse
from benchmarks.systems import MissingError
from benchmarks.workloads import watched
from benchmarks.workloads.watched import Audience

from tests.support.processes import REPOSITORY
from tests.support.until import until

WITHIN_S = 25
SAMPLES = {
    "drain": {"threadpool": [10.0, 30.0, 20.0], "taskito:full": [5.0, 10.0, 10.0]},
    "enqueue": {"sqlite:full": [4.0], "sqlite:normal": [40.0], "taskito:full": [2.0]},
}


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "benchmarks/run.py", "--rounds", "1", "--jobs", "200"]
    return subprocess.run(
        [*command, "--directory", str(folder), *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )


def cells(table: str, title: str, system: str) -> list[str]:
    """The numbers in the row of a system, under the title of a figure."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    first = next(number for number, row in enumerate(rows) if row[0] == title)
    return next(row[2:] for row in rows[first:] if row[1] == system)


class TestRun:
    def test_every_single_value_a_table_and_a_picture_come_out(self, tmp_path: Path) -> None:
        document, picture = tmp_path / "figures.json", tmp_path / "figures.svg"
        words = ["--systems", "taskito:normal,threadpool,sqlite:normal", "--workloads", "drain"]
        done = run(tmp_path, *words, "--json", str(document), "--plot", str(picture))
        assert done.returncode == 0, done.stderr
        found = json.loads(document.read_text())
        assert set(found["samples"]["drain"]) == set(words[1].split(","))
        assert all(len(values) == 1 for values in found["samples"]["drain"].values())
        assert found["facts"]["taskito"]
        assert "| to threadpool | to floor |" in done.stdout
        assert ET.fromstring(picture.read_text()).tag.endswith("svg")
        assert {path.name for path in tmp_path.iterdir()} == {"figures.json", "figures.svg"}

    @pytest.mark.parametrize(
        ("workloads", "systems_with_figures"),
        [
            ("enqueue,bulk", {"taskito:full", "threadpool", "sqlite:full"}),
            ("end2end", {"taskito:full", "threadpool"}),
            ("retry", {"taskito:full", "threadpool"}),
            ("cpu", {"taskito:full", "threadpool", "processpool"}),
            ("sleep", {"taskito:full", "threadpool"}),
            ("asleep", {"taskito:full", "asyncio"}),
            ("startup", {"taskito:full"}),
        ],
    )
    def test_each_system_does_what_it_can(
        self, tmp_path: Path, workloads: str, systems_with_figures: set[str]
    ) -> None:
        document = tmp_path / "figures.json"
        asked = "taskito:full,threadpool,processpool,asyncio,sqlite:full"
        words = ["--systems", asked, "--workloads", workloads, "--json", str(document)]
        done = run(tmp_path, *words)
        assert done.returncode == 0, done.stderr
        samples = json.loads(document.read_text())["samples"]
        assert len(samples) >= len(workloads.split(","))
        for figure, by_system in samples.items():
            assert set(by_system) == systems_with_figures, figure
            assert all(value > 0 for values in by_system.values() for value in values)

    def test_a_system_that_is_not_there_is_left_out_in_one_line(self, tmp_path: Path) -> None:
        python = tmp_path / "rq" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)
        wanted = systems.requirements("rq")
        assert wanted
        receipt = f"# Python {sys.version}\n{wanted.read_text()}"
        (tmp_path / "rq" / environments.RECEIPT).write_text(receipt)
        words = ["--environments", str(tmp_path), "--workloads", "enqueue,drain"]
        done = run(tmp_path, "--systems", "rq,threadpool", *words)
        assert done.returncode == 0, done.stderr
        said = [line for line in done.stderr.splitlines() if " rq " in line]
        assert len(said) == 1
        assert "left out: No module named 'r" in said[0]
        assert "* left out, rq: " in done.stdout
        assert "| threadpool |" in done.stdout

    def test_an_unknown_system_is_refused(self, tmp_path: Path) -> None:
        done = run(tmp_path, "--systems", "nonsense")
        assert done.returncode == 2
        assert "there is no system 'nonsense'" in done.stderr


class TestAudience:
    def test_pages_ask_by_turns_and_say_what_they_have(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str | None] = []
        charts: list[str | None] = []

        class Overview(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                tag = self.headers["If-None-Match"]
                (asked if self.path == "/" else charts).append(tag)
                self.send_response(304 if tag else 200)
                self.send_header("ETag", '"1"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                """Say nothing."""

        monkeypatch.setattr(watched, "EVERY_S", 0.01)
        with ThreadingHTTPServer(("127.0.0.1", 0), Overview) as server:
            threading.Thread(target=server.serve_forever).start()
            audience = Audience(f"http://127.0.0.1:{server.server_port}", 2)
            with audience:
                until(lambda: len(asked) > 12, within=60)
            server.shutdown()

        assert audience.error is None
        assert asked[:5] == [None, None, '"1"', '"1"', '"1"']
        # At the first look and at the sixth one.
        assert charts[:4] == [None, None, '"1"', '"1"']

    def test_a_page_that_is_not_there_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        audience = Audience(f"http://127.0.0.1:{port}", 1)
        with audience:
            until(lambda: audience.error is not None, within=60)
        assert isinstance(audience.error, ConnectionRefusedError)

    def test_nobody_asks_nothing(self) -> None:
        audience = Audience("http://127.0.0.1:1", 0)
        with audience:
            pass
        assert audience.error is None


class TestEnvironments:
    def test_what_cannot_be_installed_is_named_and_not_tried_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        tried: list[Path] = []

        def commands(place: Path, _wanted: Path) -> list[list[str]]:
            tried.append(place)
            return [[sys.executable, "-c", "import sys; sys.exit('first\\nno such package')"]]

        monkeypatch.setattr(environments, "_commands", commands)
        made = Environments(tmp_path)
        for variant in ("redis", "sqlite"):
            with pytest.raises(MissingError, match=r"^cannot install huey: no such package$"):
                made.python(f"huey:{variant}")
        assert tried == [tmp_path / "huey"]

    def test_ours_needs_none(self, tmp_path: Path) -> None:
        assert Environments(tmp_path).python("taskito:full") == sys.executable


class TestOptions:
    def test_every_system_of_a_long_run_has_a_plugin(self) -> None:
        for system in LONG:
            assert systems.find(system.partition(":")[0]).is_file()

    def test_a_short_run_installs_nothing(self) -> None:
        assert not [name for name in SHORT if systems.requirements(name.partition(":")[0])]
        assert parse([]).systems == SHORT

    def test_a_long_run_has_all_workloads(self) -> None:
        assert set(parse(["--long"]).workloads) > set(parse([]).workloads)


class TestReport:
    def test_ratios_are_those_of_the_same_round(self) -> None:
        row = cells(report.table(SAMPLES, "threadpool"), "drain, /s", "taskito:full")
        assert row == ["10.0", "5.000 to 10.0", "0.50", "-"]

    def test_the_floor_of_full_is_the_database_that_syncs(self) -> None:
        row = cells(report.table(SAMPLES, "threadpool"), "enqueue, one by one, /s", "taskito:full")
        assert row[-1] == "0.50"

    def test_the_closing_table_has_a_column_for_each_system(self) -> None:
        table = report.closing(SAMPLES, ("taskito:full", "rq", "threadpool"))
        head = [cell.strip() for cell in table.splitlines()[0].split("|")[1:-1]]
        assert head == ["", "taskito:full", "threadpool"]
        assert "| enqueue, one by one, /s |" in table


class TestPlot:
    def test_the_longest_bar_is_the_largest_median(self) -> None:
        drawing = ET.fromstring(plot.svg({"drain": SAMPLES["drain"]}))
        bars = [
            float(shape.get("width", "0"))
            for shape in drawing.iter()
            if shape.get("fill") in {plot.OURS, plot.OTHERS}
        ]
        assert bars[0] == pytest.approx(2 * bars[1], rel=0.01)
