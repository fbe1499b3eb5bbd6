"""The built distributions, and empty environments to install them into.

``nox -s packaging`` builds them and says where they are.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

CONSTRAINTS = Path(__file__).resolve().parents[2] / "constraints.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A virtual environment that holds one of our distributions and what it pulled in."""

    python: Path
    packages: dict[str, str]

    def run(self, *command: str) -> str:
        """Run a program of the environment away from the checkout; its standard output."""
        program = self.python.parent / command[0]
        return _run([str(program), *command[1:]], cwd=self.python.parent)


@pytest.fixture(scope="session")
def dist() -> Path:
    """The folder with everything that would be published."""
    return Path(os.environ["TASKITO_DIST"])


@pytest.fixture(scope="session")
def install(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Environment]:
    """Install one distribution by name into an empty environment, dependencies included."""
    uv = os.environ["TASKITO_UV"]
    # The built wheels, wherever another package asks for them; the rest at pinned versions.
    ours = [f"{wheel.name.split('-')[0]} @ {wheel.as_uri()}" for wheel in dist.glob("*.whl")]
    constraints = tmp_path_factory.mktemp("constraints") / "constraints.txt"
    constraints.write_text("\n".join([*ours, CONSTRAINTS.read_text()]))

    def make(name: str) -> Environment:
        folder = tmp_path_factory.mktemp(name) / "env"
        python = folder / "bin" / "python"
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
        pip = [uv, "pip", "install", "--quiet", "--python", str(python)]
        _run([*pip, "--no-sources", "--constraints", str(constraints), name])
        listing = _run([uv, "pip", "list", "--format=freeze", "--python", str(python)])
        packages = dict(line.split("==") for line in listing.split())
        return Environment(python=python, packages=packages)

    return make


def _run(command: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
    return done.stdout
