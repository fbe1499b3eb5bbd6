"""Workers in processes of their own, started through the command line as anyone would."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from examples.common.program import ExampleError

ROOT = Path(__file__).resolve().parent.parent.parent
"""The checkout this program is part of."""

STOP_WITHIN_S = 10
STALLED_AFTER_S = 60.0
LOG_TAIL_BYTES = 2000


class Worker:
    """One ``taskito worker`` process.

    It gets a session of its own, so a Ctrl-C at the terminal reaches the example alone, which
    then stops the worker. The queue's file is the one that ``TASKITO_DB_PATH`` names here.

    Args:
        app: the queue, as ``module:attribute``.
        threads: how many jobs it runs at once.
        log: takes whatever the worker prints.
        env: environment variables beside those of this process.
    """

    def __init__(
        self, *, app: str, threads: int, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        arguments = ["worker", "--app", app, "--workers", str(threads)]
        self.command = shlex.join(["taskito", *arguments])
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "taskito", *arguments],
                cwd=ROOT,
                env={**os.environ, **(env or {})},
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

    def ask_to_stop(self) -> None:
        """Have the process finish what it runs, and end; returns at once."""
        if not self.has_ended:
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait until the process has ended; kill it after ten seconds."""
        try:
            self._process.wait(STOP_WITHIN_S)
        except BaseException as error:  # too slow, or a second Ctrl-C: leave no process behind
            self.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise

    def stop(self) -> None:
        """Ask the process to stop, and wait until it has."""
        self.ask_to_stop()
        self.wait()

    def insist_on_life(self, idle_s: float) -> None:
        """Raise if the process has ended, or if no job was finished for a minute.

        Args:
            idle_s: for how many seconds nothing was finished.
        """
        if self.has_ended or idle_s > STALLED_AFTER_S:
            what = "ended by itself" if self.has_ended else f"did nothing for {idle_s:.0f} s"
            raise ExampleError(
                f"the worker (pid {self.pid}) {what}",
                hint=f"its last words were:\n{self.last_words()}",
            )

    def last_words(self) -> str:
        """Return the end of what the worker printed."""
        text = self._log.read_bytes()[-LOG_TAIL_BYTES:].decode(errors="replace")
        return text.strip() or "(it printed nothing)"
