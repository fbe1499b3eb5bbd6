"""The middleware for Sentry in the documentation, against a stand-in for its SDK."""

import re
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from taskito import Queue
from tests.telemetry.conftest import Work

PAGE = Path(__file__).resolve().parents[2] / "docs" / "telemetry.md"


def test_reports_failed_attempts(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[Any] = []

    class Scope:
        def set_transaction_name(self, name: str) -> None:
            reports.append(name)

        def set_context(self, name: str, facts: dict[str, Any]) -> None:
            reports.append((name, facts))

    @contextmanager
    def new_scope() -> Any:
        yield Scope()

    sdk = ModuleType("sentry_sdk")
    sdk.new_scope = new_scope  # type: ignore[attr-defined]
    sdk.capture_exception = reports.append  # type: ignore[attr-defined]
    logs = ModuleType("sentry_sdk.integrations.logging")
    logs.ignore_logger = reports.append  # type: ignore[attr-defined]
    for module in (sdk, ModuleType("sentry_sdk.integrations"), logs):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    (code,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)

    with Queue(tmp_path / "jobs.db", workers=1, middleware=[names["SentryMiddleware"]()]) as queue:

        @queue.task(name="bad", max_retries=0)
        def bad() -> None:
            raise KeyError("gone")

        work(queue)
        job = bad.delay()
        job.wait()
        ignored, name, context, error = reports
        assert ignored == "taskito"
        assert name == "bad"
        assert context == ("taskito", {"job_id": job.id, "queue": "default"})
        assert isinstance(error, KeyError)
