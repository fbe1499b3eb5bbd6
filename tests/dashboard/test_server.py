"""The dashboard as a process of its own."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from taskito import Queue
from taskito.exceptions import ConfigurationError
from taskito_dashboard import serve_dashboard

PROGRAM = """
import sys
from taskito import Queue
from taskito_dashboard import serve_dashboard
serve_dashboard(Queue(sys.argv[1]), port=0)
"""


class TestServe:
    def test_it_prints_its_address_answers_and_ends_on_ctrl_c(self, tmp_path: Path) -> None:
        path = tmp_path / "jobs.db"
        with Queue(path) as queue:
            queue.enqueue("unknown_task")
        with subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(path)], stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout is not None
                line = server.stdout.readline()
                address = re.search(r"http://127\.0\.0\.1:\d+", line)
                assert address, line
                with urllib.request.urlopen(f"{address[0]}/api/stats", timeout=5) as answer:
                    assert json.load(answer)["pending"] == 1
                server.send_signal(signal.SIGINT)
                assert server.wait(timeout=5) == 0
            finally:
                server.kill()

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "example.com", "::"])
    def test_it_refuses_to_be_reached_from_elsewhere(self, tmp_path: Path, host: str) -> None:
        with (
            Queue(tmp_path / "jobs.db") as queue,
            pytest.raises(ConfigurationError, match=r"is not loopback(.|\n)*hint: .*SSH tunnel"),
        ):
            serve_dashboard(queue, host=host)
