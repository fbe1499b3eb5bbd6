"""Puts what browsers load from other projects into ``static/vendor``, so that users need no Node.

An sdist has these files in it. In a checkout they come from npm, by the lock file.
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FILES = {
    "htmx.org": {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "htmx.LICENSE"},
    "uplot": {
        "dist/uPlot.iife.min.js": "uplot.min.js",
        "dist/uPlot.min.css": "uplot.min.css",
        "LICENSE": "uplot.LICENSE",
    },
}
"""By package: the file in it, and what it is called in ``static/vendor``."""
STAMP = "lock.sha256"
"""Beside the files: which lock file they are of."""


class VendorHook(BuildHookInterface):
    """Fills ``static/vendor`` before anything is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Copy the files, unless they are there already."""
        fill(Path(self.root))


def fill(package: Path) -> None:
    """Copy the files of all libraries, with npm where they are not installed.

    Args:
        package: The folder with ``package.json`` and ``package-lock.json``.

    Raises:
        SystemExit: npm is needed, and there is none or it failed.
    """
    vendor = package / "src" / "taskito_dashboard" / "static" / "vendor"
    lock = hashlib.sha256((package / "package-lock.json").read_bytes()).hexdigest()
    stamp = vendor / STAMP
    if stamp.is_file() and stamp.read_text().strip() == lock:
        return
    modules = package / "node_modules"
    if not _is_installed(package, modules):
        _install(package)
    shutil.rmtree(vendor, ignore_errors=True)
    vendor.mkdir()
    for library, files in FILES.items():
        for source, name in files.items():
            shutil.copyfile(modules / library / source, vendor / name)
    stamp.write_text(f"{lock}\n")


def _is_installed(package: Path, modules: Path) -> bool:
    wanted = json.loads((package / "package.json").read_text())["dependencies"]
    for library, version in wanted.items():
        about = modules / library / "package.json"
        if not about.is_file() or json.loads(about.read_text())["version"] != version:
            return False
    return True


def _install(package: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(
            "building taskito-dashboard from a checkout needs npm, and there is none on PATH\n"
            "hint: install Node.js with npm, or install a released taskito-dashboard instead: "
            "its files have all that is needed"
        )
    done = subprocess.run(  # noqa: S603 - a fixed command
        [npm, "ci", "--prefer-offline"], cwd=package, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(
            f"npm ci failed in {package}:\n{done.stderr.strip()}\n"
            "hint: npm must reach its registry once; packages/taskito-dashboard/package-lock.json "
            "says what it fetches"
        )
