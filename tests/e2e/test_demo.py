"""The demo, run as anyone would run it, on a small folder with awkward names in it."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from examples.wordcount import check
from examples.wordcount.analysis import FileFacts

from tests.support.until import until

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"
FILES = 60
WORDS_PER_FILE = 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Sixty readable files, one of each kind that is awkward, and two that nobody can read."""
    root = tmp_path / "a folder"
    root.mkdir()
    for number in range(FILES - 3):
        (root / f"file {number}.txt").write_text("alpha beta " * (WORDS_PER_FILE // 2))
    (root / "Grüße 日本.txt").write_text("alpha beta " * (WORDS_PER_FILE // 2))
    (root / "line\nbreak").write_text("alpha beta " * (WORDS_PER_FILE // 2))
    undecodable = os.fsencode(root) + b"/caf\xe9.txt"
    Path(os.fsdecode(undecodable)).write_text("alpha beta " * (WORDS_PER_FILE // 2))
    (root / "broken link").symlink_to("nowhere")
    (root / "ring").symlink_to("ring")
    (root / "loop").symlink_to(root)
    return root


def run_demo(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, DEMO, *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def document(*arguments: str | Path) -> dict[str, Any]:
    done = run_demo(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


class TestDemo:
    def test_every_file_is_counted_although_the_worker_was_killed(self, folder: Path) -> None:
        found = document(folder, "--pause", "30")

        assert found["check"] == {
            "agrees": True,
            "differences": [],
            "changed": [],
            "loop_s": found["check"]["loop_s"],
        }
        assert found["files"] == FILES + 2
        assert found["counted"] == FILES
        assert found["words"] == FILES * WORDS_PER_FILE
        assert found["top_terms"] == {"alpha": FILES * 25, "beta": FILES * 25}
        assert found["retries"] == 0

        kill = found["kill"]
        assert 0.4 * FILES <= kill["done"] < FILES
        assert 1 <= kill["interrupted"] <= 4
        assert kill["losses_on_record"] == kill["interrupted"]
        assert kill["ran_twice"] == kill["interrupted"] + kill["unrecorded"]
        assert 0 < kill["first_again_s"] <= kill["all_again_s"] < kill["all_finished_s"]

    def test_unreadable_files_are_dead_letters_that_say_why(self, folder: Path) -> None:
        found = document(folder, "--no-kill")

        assert found["kill"] is None
        assert found["dead_letters"] == [
            {
                "file": str(folder / "broken link"),
                "kind": "FileNotFoundError",
                "reason": "No such file or directory",
            },
            {
                "file": str(folder / "ring"),
                "kind": "NotAFileError",
                "reason": "Too many levels of symbolic links",
            },
        ]

    def test_the_table_names_the_dead_and_says_that_the_check_agrees(self, folder: Path) -> None:
        done = run_demo(folder, "--pause", "30")

        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
        assert f"{folder / 'broken link'}\n" in done.stdout
        assert "FileNotFoundError: No such file or directory\n" in done.stdout
        assert f"{FILES} hashes and word counts, 2 errors and the merged terms equal" in done.stdout
        assert "kill -9" in done.stderr

    def test_limit_and_db_are_honoured(self, folder: Path, tmp_path: Path) -> None:
        database = tmp_path / "kept.db"
        found = document(folder, "--no-kill", "--limit", "5", "--db", database)

        assert found["files"] == 5
        assert found["database"] == str(database)
        assert database.exists()

    def test_interrupting_it_stops_its_worker(self, folder: Path, tmp_path: Path) -> None:
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        demo = subprocess.Popen(
            [sys.executable, DEMO, folder, "--pause", "200", "--no-kill"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        try:
            (diary,) = until(lambda: list(tmp_path.glob("taskito-demo-*/diary")))
            worker = int(until(diary.read_text).split()[2])
            demo.send_signal(signal.SIGINT)
            _, talk = demo.communicate(timeout=20)
        finally:
            demo.kill()
            demo.wait()

        assert demo.returncode == 130, talk
        assert "stopped" in talk
        assert "Traceback" not in talk
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
        assert not list(tmp_path.glob("taskito-demo-*"))

    def test_a_folder_that_is_not_there_is_a_usage_error(self, tmp_path: Path) -> None:
        done = run_demo(tmp_path / "missing")

        assert done.returncode == 2
        assert "there is no folder" in done.stderr


class TestCheck:
    def test_it_notices_every_number_that_is_not_the_same(self, folder: Path) -> None:
        paths = sorted(map(str, folder.glob("file *")))
        loop = dict(check.plain(paths))
        jobs = dict(loop)
        first = jobs[paths[0]]
        assert isinstance(first, FileFacts)
        jobs[paths[0]] = dataclasses.replace(first, words=first.words + 1)
        del jobs[paths[1]]
        jobs[paths[2]] = check.Failure(kind="OSError", reason="no luck")

        found = check.compare(jobs, loop)

        told = Counter(line.split(": ")[0] for line in found.differences)
        assert told.keys() >= {paths[0], paths[1], paths[2], "words in all", "digest in all"}

    def test_a_file_that_changed_meanwhile_is_left_out(self, folder: Path) -> None:
        paths = sorted(map(str, folder.glob("file *")))
        jobs = dict(check.plain(paths))
        Path(paths[0]).write_text("something else")
        Path(paths[1]).unlink()

        found = check.compare(jobs, dict(check.plain(paths)))

        assert found.differences == ()
        assert found.changed == (paths[0], paths[1])
