"""What the page loads from other projects is in every distribution, and comes from npm once."""

import json
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "packages" / "taskito-dashboard"
FILES = {
    "htmx.min.js",
    "htmx.LICENSE",
    "uplot.min.js",
    "uplot.min.css",
    "uplot.LICENSE",
    "lock.sha256",
}
FOLDER = "taskito_dashboard/static/vendor/"

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The package as it is in a fresh checkout."""
    made = {"node_modules", "vendor", "__pycache__"}
    copy = tmp_path / "package"
    shutil.copytree(PACKAGE, copy, ignore=lambda _, names: made & set(names))
    return copy


def build(package: Path, out: Path, *options: str, path: str) -> "subprocess.CompletedProcess[str]":
    """Build in an environment where programs are found in one folder alone."""
    command = [os.environ["TASKITO_UV"], "build", "--no-sources", *options]
    constraints = ["--build-constraints", str(ROOT / "constraints.txt")]
    return subprocess.run(
        [*command, *constraints, "--out-dir", str(out), str(package)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def names_of(path: Path) -> set[str]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            found = archive.namelist()
    else:
        with tarfile.open(path) as archive:
            found = [member.name for member in archive.getmembers()]
    return {name.partition(FOLDER)[2] for name in found if FOLDER in name}


class TestDistributions:
    @pytest.mark.parametrize("kind", ["whl", "tar.gz"])
    def test_they_hold_the_files_and_their_licences(self, dist: Path, kind: str) -> None:
        (path,) = dist.glob(f"taskito_dashboard-*.{kind}")

        assert names_of(path) == FILES

    def test_the_sdist_holds_nothing_else_of_npm(self, dist: Path) -> None:
        (path,) = dist.glob("taskito_dashboard-*.tar.gz")
        with tarfile.open(path) as archive:
            assert not [name for name in archive.getnames() if "node_modules" in name]

    def test_the_sdist_becomes_a_wheel_without_npm(self, dist: Path, tmp_path: Path) -> None:
        (path,) = dist.glob("taskito_dashboard-*.tar.gz")
        done = build(path, tmp_path, "--wheel", path=str(tmp_path))

        assert done.returncode == 0, done.stderr
        (wheel,) = tmp_path.glob("*.whl")
        assert names_of(wheel) == FILES


class TestCheckout:
    def test_without_npm_it_says_what_is_needed(self, checkout: Path, tmp_path: Path) -> None:
        done = build(checkout, tmp_path, "--wheel", path=str(tmp_path))

        assert done.returncode != 0
        needed = "building taskito-dashboard from a checkout needs npm, and there is none on PATH"
        assert needed in done.stderr
        assert "hint: install Node.js with npm" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_failing_npm_is_quoted(self, checkout: Path, tmp_path: Path) -> None:
        npm = tmp_path / "npm"
        npm.write_text("#!/bin/sh\necho no such registry >&2\nexit 1\n")
        npm.chmod(0o755)
        done = build(checkout, tmp_path, "--wheel", path=str(tmp_path))

        assert done.returncode != 0
        assert "no such registry" in done.stderr
        assert "hint: npm must reach its registry once" in done.stderr

    def test_every_library_is_pinned_with_a_hash_and_no_address(self) -> None:
        wanted = json.loads((PACKAGE / "package.json").read_text())
        locked = json.loads((PACKAGE / "package-lock.json").read_text())["packages"]
        pins = {**wanted["dependencies"], **wanted["devDependencies"]}
        of_npm = {name.removeprefix("node_modules/"): row for name, row in locked.items() if name}

        assert {name: row["version"] for name, row in of_npm.items()} == pins
        for row in of_npm.values():
            assert row["integrity"].startswith("sha512-")
            assert "resolved" not in row
