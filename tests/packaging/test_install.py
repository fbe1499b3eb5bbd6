"""What a person gets who installs one of the packages."""

from collections.abc import Callable

import pytest

from tests.packaging.conftest import Environment

Install = Callable[[str], Environment]

pytestmark = pytest.mark.timeout(300)


class TestTaskito:
    def test_it_pulls_the_engine_and_cloudpickle_and_nothing_else(self, install: Install) -> None:
        env = install("taskito")

        assert set(env.packages) == {"taskito", "taskito-core", "cloudpickle"}
        assert env.packages["taskito"] == env.packages["taskito-core"]
        version = env.run("python", "-c", "import taskito; print(taskito.__version__)")
        assert version.strip() == env.packages["taskito"]
        assert env.packages["taskito"] in env.run("taskito", "version")

    def test_a_job_runs_in_an_environment_with_nothing_else(self, install: Install) -> None:
        program = (
            "import tempfile, threading, taskito;"
            "queue = taskito.Queue(tempfile.mkdtemp() + '/jobs.db');"
            "double = queue.task('double')(lambda x: 2 * x);"
            "worker = threading.Thread(target=queue.run_worker, daemon=True); worker.start();"
            "print(double.delay(21).result(timeout=20)); queue.close()"
        )

        assert install("taskito").run("python", "-c", program).strip() == "42"


class TestCompanions:
    def test_the_dashboard_pulls_what_it_says(self, install: Install) -> None:
        env = install("taskito-dashboard")

        ours = {"taskito", "taskito-core", "cloudpickle", "taskito-dashboard"}
        page = {"werkzeug", "jinja2", "markupsafe", "orjson", "waitress"}
        assert set(env.packages) == ours | page
        shown = env.run("python", "-c", "import taskito_dashboard as d; print(d.__version__)")
        assert shown.strip() == env.packages["taskito-dashboard"]

    def test_the_page_finds_its_templates(self, install: Install) -> None:
        program = (
            "import tempfile, taskito, taskito_dashboard as d;"
            "from werkzeug.test import Client;"
            "queue = taskito.Queue(tempfile.mkdtemp() + '/jobs.db');"
            "print(Client(d.create_app(queue)).get('/', base_url='http://localhost').text)"
        )

        assert "<!DOCTYPE html>" in install("taskito-dashboard").run("python", "-c", program)

    def test_the_flask_extension_pulls_flask(self, install: Install) -> None:
        env = install("taskito-flask")

        assert {"taskito", "taskito-core", "taskito-flask", "flask"} <= set(env.packages)
        assert not {"taskito-dashboard", "waitress", "orjson"} & set(env.packages)
        shown = env.run("python", "-c", "import taskito_flask as f; print(f.__version__)")
        assert shown.strip() == env.packages["taskito-flask"]
