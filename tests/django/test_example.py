"""The example site, done as its README says: the same commands, the same answers."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.django.support import PATIENCE
from tests.support.until import until

SITE = Path(__file__).resolve().parents[2] / "examples" / "django_site"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
SERVES = ("runserver", "taskito_worker", "gunicorn")
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("curl") is None, reason="the README says curl"),
]


class Step(NamedTuple):
    """A command of the README and what it says that comes out."""

    command: str
    output: str


def steps() -> list[Step]:
    """The commands of the README in their order."""
    text = "".join(BLOCK.findall((SITE / "README.md").read_text()))
    found = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    return [Step(*(part.strip() for part in step.partition("\n")[::2])) for step in found]


class Terminals:
    """A copy of the site, and what runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(SITE, folder, ignore=shutil.ignore_patterns("data", "__pycache__"))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "TASKITO"))}
        self.env = {
            **kept,
            "PORT": str(self.port),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def run(self, command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def start(self, command: str) -> "subprocess.Popen[bytes]":
        program = subprocess.Popen(
            ["sh", "-c", f"exec {command}"], cwd=self.folder, env=self.env, start_new_session=True
        )
        self.running.append(program)
        if "taskito_worker" not in command:
            until(self.answers, within=PATIENCE)
        return program

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5):
                return True
        except OSError:
            return False

    def end(self, program: "subprocess.Popen[bytes]") -> int:
        """Press Ctrl-C, which every process of the terminal gets."""
        os.killpg(program.pid, signal.SIGINT)
        return program.wait(PATIENCE)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    terminals = Terminals(tmp_path / "site")
    yield terminals
    for program in terminals.running:
        if program.poll() is None:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait()


def test_the_site_does_what_its_readme_says(terminals: Terminals) -> None:
    for step in steps():
        if "gunicorn" in step.command:  # it takes the place of the first server
            assert terminals.end(terminals.running.pop(0)) == 0
            until(lambda: not terminals.answers(), within=PATIENCE)
        if any(word in step.command for word in SERVES):
            terminals.start(step.command)
        elif " -d " in step.command:  # each order is placed once
            assert terminals.run(step.command) == step.output
        else:
            until(partial(_says, terminals, step), within=PATIENCE)

    with urllib.request.urlopen(f"http://127.0.0.1:{terminals.port}/orders/1/") as answer:
        assert b"ann@example.com" in answer.read()
    worker, gunicorn = terminals.running
    assert terminals.end(gunicorn) == 0
    assert terminals.end(worker) == 0


def test_the_readme_is_read_whole() -> None:
    commands = [step.command for step in steps()]

    assert len(commands) == 11
    assert [word for word in SERVES if not any(word in command for command in commands)] == []


def _says(terminals: Terminals, step: Step) -> bool:
    """Whether a command says what it should; a letter takes a while."""
    said = terminals.run(step.command)
    assert said == step.output
    return True
