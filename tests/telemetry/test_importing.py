"""What integrations need, and what they say when it is not there."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

FRAMEWORKS = {"fastapi", "starlette", "pydantic", "opentelemetry", "prometheus_client", "anyio"}


def run(code: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_taskito_and_running_a_job_loads_no_framework(tmp_path: Path) -> None:
    code = (
        "import sys, threading, taskito, taskito.cli\n"
        "queue = taskito.Queue('jobs.db', workers=1)\n"
        "task = queue.task(abs)\n"
        "threading.Thread(target=queue.run_worker, daemon=True).start()\n"
        "assert task.delay(-1).result() == 1\n"
        "queue.close()\n"
        f"print({FRAMEWORKS!r} & {{name.partition('.')[0] for name in sys.modules}})"
    )
    assert run(code, tmp_path) == "set()\n"


def test_telemetry_modules_import_without_their_extra(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules['opentelemetry'] = sys.modules['prometheus_client'] = None\n"
        "import taskito.contrib.otel, taskito.contrib.prometheus"
    )
    run(code, tmp_path)


OTEL = ("opentelemetry", "opentelemetry-api", "otel")
PROMETHEUS = ("prometheus_client", "prometheus-client", "prometheus")
USES = {
    "OpenTelemetryMiddleware": (OTEL, "otel import OpenTelemetryMiddleware as T; T()"),
    "TaskitoInstrumentor": (OTEL, "otel import TaskitoInstrumentor as T; T().instrument()"),
    "PrometheusMiddleware": (PROMETHEUS, "prometheus import PrometheusMiddleware as T; T()"),
    "PrometheusStatsCollector": (
        PROMETHEUS,
        "prometheus import PrometheusStatsCollector as T; T(taskito.Queue())",
    ),
    "start_metrics_server": (PROMETHEUS, "prometheus import start_metrics_server as t; t(0)"),
    "taskito.contrib.fastapi": (("fastapi", "fastapi", "fastapi"), "fastapi import TaskitoRouter"),
    "taskito.contrib.fastapi ": (
        ("pydantic", "pydantic", "fastapi"),
        "fastapi import TaskitoRouter",
    ),
}


@pytest.mark.parametrize("subject", USES)
def test_an_integration_without_its_extra_says_which_one(tmp_path: Path, subject: str) -> None:
    (module, package, extra), use = USES[subject]
    code = (
        "import sys, taskito\n"
        f"sys.modules[{module!r}] = None\n"
        "try:\n"
        f"    from taskito.contrib.{use}\n"
        "except ImportError as error:\n"
        "    print(error)"
    )
    named = "OpenTelemetryMiddleware" if extra == "otel" else subject.strip()
    assert run(code, tmp_path) == (
        f"{named} needs {package}, which is not installed\nhint: pip install 'taskito[{extra}]'\n"
    )


SIGNATURES = {
    "otel.OpenTelemetryMiddleware": (
        "tracer_name='taskito', *, span_names='taskito', propagation='link', "
        "tracer_provider=None, meter_provider=None"
    ),
    "prometheus.PrometheusMiddleware": "*, namespace='taskito', registry=None",
    "prometheus.PrometheusStatsCollector": (
        "queue, interval=10, *, namespace='taskito', registry=None"
    ),
    "prometheus.start_metrics_server": "port=9090, host='127.0.0.1', *, registry=None",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_parameters_and_defaults_are_those_documented(name: str) -> None:
    module, _, member = name.partition(".")
    found = inspect.signature(getattr(importlib.import_module(f"taskito.contrib.{module}"), member))
    plain = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    assert str(inspect.Signature(plain)) == f"({SIGNATURES[name]})"
