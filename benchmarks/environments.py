"""The virtual environments in which systems other than taskito are installed."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks import systems
from benchmarks.systems import MissingError

INSTALL_WITHIN_S = 300
RECEIPT = "installed.txt"


class Environments:
    """Makes an environment for each system that needs one, once for all its variants.

    Args:
        folder: where they are kept from run to run; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._missing: dict[str, str] = {}

    def python(self, system: str) -> str:
        """Return the interpreter that can import the system; blocks while it is installed.

        Raises:
            MissingError: it cannot be installed.
        """
        name = system.partition(":")[0]
        wanted = systems.requirements(name)
        if not wanted:
            return sys.executable
        if name in self._missing:
            raise MissingError(self._missing[name])
        place = self._folder / name
        receipt = place / RECEIPT
        if not receipt.is_file() or receipt.read_text() != self._terms(wanted):
            try:
                _install(place, wanted)
            except MissingError as error:
                self._missing[name] = str(error)
                raise
            receipt.write_text(self._terms(wanted))
        return str(place / "bin" / "python")

    @staticmethod
    def _terms(wanted: Path) -> str:
        """What an environment must have been made from to be used again."""
        return f"# Python {sys.version}\n{wanted.read_text()}"


def _install(place: Path, wanted: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    for command in _commands(place, wanted):
        _run(command, wanted.stem)


def _commands(place: Path, wanted: Path) -> tuple[list[str], list[str]]:
    """Return how to make the environment and how to fill it, with uv if it is there."""
    python = str(place / "bin" / "python")
    what = ["--quiet", "--requirement", str(wanted)]
    if uv := shutil.which("uv"):
        make = [uv, "venv", "--quiet", "--python", sys.executable, str(place)]
        return make, [uv, "pip", "install", "--python", python, *what]
    return [sys.executable, "-m", "venv", str(place)], [python, "-m", "pip", "install", *what]


def _run(command: list[str], name: str) -> None:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise MissingError(f"installing {name} took more than {INSTALL_WITHIN_S} s") from None
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()
        raise MissingError(f"cannot install {name}: {said[-1].strip()}")
