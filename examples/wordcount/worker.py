"""A worker in a process of its own, started through the command line as anyone would."""

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from examples.wordcount import diary
from examples.wordcount.files import ROOT

STOP_WITHIN_S = 10
LOG_TAIL_BYTES = 2000


class Worker:
    """One ``taskito worker`` process.

    It gets a session of its own, so a Ctrl-C at the terminal reaches the demo alone, which
    then stops the worker.

    Args:
        database: the queue's file.
        diary_path: where the tasks note their attempts.
        threads: how many jobs it runs at once.
        log: takes whatever the worker prints.
    """

    def __init__(self, *, database: str, diary_path: Path, threads: int, log: Path) -> None:
        options = ["--app", "examples.wordcount.tasks:queue", "--workers", str(threads)]
        arguments = ["worker", *options]
        self.command = shlex.join(["taskito", *arguments])
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "taskito", *arguments],
                cwd=ROOT,
                env={
                    **os.environ,
                    "TASKITO_DB_PATH": database,
                    diary.VARIABLE: str(diary_path),
                    "PYTHONDONTWRITEBYTECODE": "1",  # it may be counting its own sources
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone, for whatever reason."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End the process as a crash would: at once, with no chance to tidy up."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask the process to drain, and insist after ten seconds. No effect once it ended."""
        if self.has_ended:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_WITHIN_S)
        except BaseException as error:  # too slow, or a second Ctrl-C: leave no process behind
            self.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise

    def last_words(self) -> str:
        """Return the end of what the worker printed."""
        text = self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return text.strip() or "(it printed nothing)"
