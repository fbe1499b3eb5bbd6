"""The example, started and used by the commands of its README as they stand there."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from taskito import Queue
from tests.fastapi.conftest import PATIENCE, web
from tests.support.until import until

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fastapi_app"
BLOCK = re.compile(r"^ +```sh\n(.*?)^ +```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkout with nothing but the example."""
    shutil.copytree(EXAMPLE, tmp_path / "examples" / "fastapi_app")
    return tmp_path


@pytest.fixture
def env() -> dict[str, str]:
    """The environment of a terminal in which a port was chosen that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {name: text for name, text in os.environ.items() if not name.startswith("TASKITO")}
    return {**kept, "PATH": path, "PORT": str(port)}


@contextmanager
def terminal(
    command: str, folder: Path, env: dict[str, str], log: Path
) -> Generator[subprocess.Popen[bytes]]:
    """Run a command until the end of the block, then press Ctrl-C; it must end by itself."""
    with log.open("wb") as output:
        shell = subprocess.Popen(
            command,
            shell=True,
            cwd=folder,
            env=env,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield shell
        os.killpg(shell.pid, signal.SIGINT)
        shell.wait(PATIENCE)
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.mark.timeout(300)  # four interpreters have to start, one after the other
def test_does_what_its_readme_says(folder: Path, env: dict[str, str], tmp_path: Path) -> None:
    server, worker, watch, jobs = BLOCK.findall((EXAMPLE / "README.md").read_text())

    def run(command: str) -> str:
        done = subprocess.run(
            ["sh", "-e", "-c", command],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def answers() -> bool:
        try:
            return web.get(f"http://127.0.0.1:{env['PORT']}/tasks/healthz").status_code == 200
        except httpx.HTTPError:
            return False

    with terminal(server, folder, env, tmp_path / "server.log"):
        until(answers, within=PATIENCE)
        with (
            Queue(folder / "examples" / "fastapi_app" / "reports.db") as queue,
            terminal(worker, folder, env, tmp_path / "worker.log"),
        ):
            until(lambda: len(queue.workers()) == 1, within=PATIENCE)
            seen = run(watch)
            listed = run(jobs)
        assert "report" in listed

    lines = seen.splitlines()
    assert lines[0].startswith("ordered report ")
    percents = [int(line.split()[-2]) for line in lines if line.endswith("%")]
    assert percents == sorted(percents)
    assert len(set(percents)) > 3, seen  # it was followed, not asked once
    assert lines[-2] == f"complete  [{'#' * 20}] 100 %"
    assert lines[-1].startswith("complete: {'2026-01': 1000, '2026-02': 2000, ")
    assert lines[-1].endswith("'total': 78000}")
