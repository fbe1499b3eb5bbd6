"""The example project, done as its README says."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flask.support import STARTING
from tests.support.until import until

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "flask_shop"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("curl") is None, reason="the README says curl"),
]


class Terminal:
    """Runs the commands of the README in a copy of the project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("instance", "__pycache__"))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("FLASK", "TASKITO"))}
        self.env = {
            **clean,
            "PORT": str(port),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=STARTING,
            check=False,
        )

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        # exec, so that a signal reaches the program and not the shell.
        program = subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=self.folder, env=self.env)
        self.running.append(program)
        return program

    def wait_for(self, command: str, output: str) -> None:
        """Repeat a command until it prints what the README shows under it."""

        def shown() -> bool:
            done = self.run(command)
            assert done.stdout == output, f"{command}\n{done.stdout}{done.stderr}"
            return True

        until(shown, within=STARTING)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path / "flask_shop")
    yield terminal
    for program in terminal.running:
        program.kill()
        program.wait()


def steps() -> list[list[tuple[str, str]]]:
    """The blocks of the README: commands, each with the output that is shown."""
    blocks = []
    for block in BLOCK.findall((EXAMPLE / "README.md").read_text()):
        pieces = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)[1:]
        blocks.append(list(zip(pieces[::2], pieces[1::2], strict=True)))
    return blocks


def test_the_readme_is_followed_to_the_letter(terminal: Terminal) -> None:
    [(prepare, _), (serve, _)], [(work, _)], requests, [(serve_more, _)] = steps()
    terminal.run(prepare).check_returncode()
    server, worker = terminal.start(serve), terminal.start(work)

    order, status, info = requests
    terminal.wait_for(*order)  # refused until the server listens
    terminal.wait_for(*status)
    terminal.wait_for(*info)

    for program in (server, worker):
        program.send_signal(signal.SIGINT)
    assert worker.wait(STARTING) == 0
    server.wait(STARTING)

    more = terminal.start(serve_more)
    terminal.wait_for(*status)
    more.send_signal(signal.SIGTERM)
    assert more.wait(STARTING) == 0
    assert sorted(path.name for path in (terminal.folder / "instance").glob("*.db")) == [
        "shop.db",
        "taskito.db",
    ]


def test_every_file_of_the_project_is_explained() -> None:
    text = (EXAMPLE / "README.md").read_text()
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (EXAMPLE / target).exists(), target
