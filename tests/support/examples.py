"""Example programs, run as anyone would run them."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.until import until

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STARTING = 60
"""Seconds an example gets to finish its first jobs on a busy machine."""
RUNNING = 90
"""Seconds an example may take on a busy machine. On an idle one it takes less than half."""
STOPPING = 15
"""Seconds it gets to stop its workers, which is less than it takes to kill two of them."""


def run(name: str, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run ``python examples/NAME`` to its end. One that hangs gets the chance to clean up."""
    argv = [sys.executable, str(EXAMPLES / name), *map(str, arguments)]
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        try:
            out, err = program.communicate(timeout=RUNNING)
        except subprocess.TimeoutExpired:
            program.terminate()
            out, err = program.communicate(timeout=STOPPING)
            raise AssertionError(f"not done within {RUNNING} s\n{out}\n{err}") from None
        finally:
            program.kill()
    return subprocess.CompletedProcess(argv, program.returncode, out, err)


def document(name: str, *arguments: str | Path) -> dict[str, Any]:
    """Run it with ``--json`` and return what it printed; it must succeed."""
    done = run(name, *arguments, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def interrupt(name: str, *arguments: str, folder: Path) -> None:
    """Press Ctrl-C while its workers work; it must end well and leave nothing behind.

    Args:
        name: of the example.
        arguments: for it, such that there is work for many seconds.
        folder: an empty one, where it shall keep its temporary files.
    """
    stderr = folder / "stderr"
    with stderr.open("wb") as output:
        program = subprocess.Popen(
            [sys.executable, EXAMPLES / name, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=output,
            env={**os.environ, "TMPDIR": str(folder)},
            start_new_session=True,
        )
    try:
        until(lambda: re.search(r"[1-9][\d,]*/\d", stderr.read_text()), STARTING)
        (pids,) = re.findall(r" pid ([\d, ]+)\n", stderr.read_text())
        program.send_signal(signal.SIGINT)
        status = program.wait(timeout=STOPPING)
    finally:
        program.kill()
        program.wait()

    talk = stderr.read_text()
    assert status == 130, talk
    assert "stopped" in talk
    assert "Traceback" not in talk
    for pid in pids.split(", "):
        assert not Path("/proc", pid).exists(), f"the worker {pid} lives on"
    assert list(folder.iterdir()) == [stderr]
