"""The API against its own description: what schemathesis thinks of, sent to a real server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from taskito import Queue, chain, current_job
from taskito.bulk import Bulk
from taskito.filters import Filter
from taskito_dashboard.answers import ANSWERS
from taskito_dashboard.routes import TABLE
from tests.dashboard.asking import Work
from tests.dashboard.test_server import CLI, served

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
CONFIG = """
[[operations]]
include-path = "{path}"
parameters = {{ "path.{name}" = "{value}" }}
"""


def test_every_document_has_a_schema() -> None:
    routes = {(route.method, route.path) for route in TABLE.routes if route.kind == "json"}

    assert routes == ANSWERS.keys()


@pytest.fixture
def seeded(queue: Queue, work: Work, tmp_path: Path) -> Path:
    """A database with something of everything."""

    @queue.task(name="speaks", circuit_breaker={"threshold": 1, "cooldown": 60}, max_retries=0)
    def speaks(number: int) -> int:
        current_job.log(f"number {number}", extra={"number": number})
        return 10 // number

    @queue.periodic("0 3 * * *", name="nightly")
    def nightly() -> None:
        raise NotImplementedError

    for number in (2, 1, 0):
        chain(speaks.s(number), speaks.s()).apply(queue)
    queue.enqueue("fail", ("x",), headers={"a": "b"}, metadata="{}")
    work()
    queue.replay(queue.enqueue("add", (1, 2), queue="a/b%c").id)
    queue.enqueue("add", delay=3600)
    queue.set_queue_rate_limit("default", "100/m")
    with queue._stepping():
        pass  # declares the schedule
    return tmp_path / "jobs.db"


def named(queue: Queue) -> str:
    """Settings that let each address with a name in it find something."""
    (letter, *_) = queue.dead_letters()
    with queue._database as store:
        (*_, workflow) = store.workflows()
        dead = store.job(letter["original_job_id"])
    assert dead is not None
    assert dead.failure is not None
    values = {"jobs": dead.id, "dead-letters": letter["id"], "failures": dead.failure}
    values |= {"workflows": workflow, "queues": "default", "periodic": "nightly"}
    values["operations"] = Bulk(queue).begin("retry", Filter.parse("task:nothing"), who="ana").id
    found: list[str] = []
    for method, path in ANSWERS:
        name = next((name for name in ("id", "group") if f"<{name}>" in path), "name")
        if ("<" in path and method == "GET") or "queues" in path or "periodic" in path:
            under = path.split("/")[2]
            shown = re.sub(r"<(?:name:)?(\w+)>", r"{\1}", path.removeprefix("/api"))
            found.append(CONFIG.format(path=shown, name=name, value=values[under]))
    return "".join(dict.fromkeys(found))


@pytest.mark.timeout(300)
def test_answers_are_what_the_description_says(seeded: Path, queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(named(queue))
    with served(*CLI, "--db", str(seeded)) as (address, server):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run"),
                f"{address}/api/v1/openapi.json",
                *("--checks", ",".join(CHECKS), "--max-examples", "6", "--seed", "1"),
                *("--phases", "examples,fuzzing", "--no-shrink", "--no-color"),
                *("--generation-database", "none", "--suppress-health-check", "all"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
        )
        assert server.poll() is None
    assert done.returncode == 0, done.stdout[-20_000:]
