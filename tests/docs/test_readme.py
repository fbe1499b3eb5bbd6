"""What the front pages show, done as they say."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", "packages/taskito/README.md"]


def blocks(page: str, language: str) -> list[str]:
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return fence.findall((ROOT / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_the_first_example_runs_as_printed(page: str, tmp_path: Path) -> None:
    (program,) = blocks(page, "python")
    module = program.partition("# ")[2].partition(".py")[0]
    (tmp_path / f"{module}.py").write_text(program)
    assert f"taskito worker --app {module}:queue" in (ROOT / page).read_text()
    worker = [sys.executable, "-m", "taskito", "worker", "--app", f"{module}:queue"]

    with subprocess.Popen(worker, cwd=tmp_path) as running:
        try:
            done = subprocess.run(
                [sys.executable, f"{module}.py"],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=20,
                check=True,
            )
            running.send_signal(signal.SIGTERM)
            assert running.wait(timeout=30) == 0
        finally:
            running.kill()

    shown = done.stdout.strip()
    assert shown
    assert shown in (ROOT / page).read_text(), "the page shows what the program prints"


def test_ci_runs_the_second_command_of_the_readme() -> None:
    commands = [block.strip() for block in blocks("README.md", "sh") if ".venv/bin/nox" in block]

    assert len(commands) == 2
    assert commands[0] == f"{commands[1]} -s demo"
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == commands[1]


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*ROOT.glob("*.md"), *ROOT.glob("packages/*/*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
