"""The front page of the package shows a program that works."""

import re
from pathlib import Path

from tests.flask.support import STARTING
from tests.support.processes import Site

README = Path(__file__).resolve().parents[2] / "packages" / "taskito-flask" / "README.md"


def test_the_program_of_the_readme_runs(site: Site) -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
    path = site.home / "shop.py"
    path.write_text(
        f"{program}\n"
        "if __name__ == '__main__':\n"
        "    app = create_app()\n"
        "    assert app.test_client().post('/users/7/welcome').status_code == 202\n"
    )

    done = site.run(str(path), env={"FLASK_TASKITO_DB_PATH": str(site.database)})

    assert done.wait(STARTING) == 0
    assert [job.task_name for job in site.queue.list_jobs()] == ["shop.send_welcome"]
