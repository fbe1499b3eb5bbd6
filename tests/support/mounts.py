"""Programs in a mount namespace of their own, where they may have any file system."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import REPOSITORY

SMALL = 'mount -t tmpfs -o size=4m tmpfs "$1"'
"""A file system of four megabytes."""
READ_ONLY = 'mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"'
"""What is there, but nothing can be written."""


def run_mounted(mount: str, folder: Path, *argv: str, timeout: float = 25) -> None:
    """Run ``python argv...`` with something mounted on ``folder``; it must end well.

    Skips the test where this user may not mount.
    """
    prefix = ["unshare", "--mount", "sh", "-ec", f'{mount}; shift; exec "$@"', "sh", str(folder)]
    try:
        subprocess.run([*prefix, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no right to mount a file system: {error}")
    done = subprocess.run(
        [*prefix, sys.executable, *argv],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
