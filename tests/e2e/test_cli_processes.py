"""Commands that end by Ctrl-C, in processes of their own."""

import signal

import pytest

from tests.support.processes import STARTING, WORKSHOP, Site
from tests.support.until import until

STATS = "taskito queue statistics\n"


def test_info_redraws_until_ctrl_c_and_ends_well(site: Site) -> None:
    site.queue.enqueue("note", ["counted"])
    watch = site.taskito("info", "--watch", "--db", str(site.database))
    until(lambda: STATS in watch.out, within=STARTING)
    site.worker()
    until(lambda: watch.out.count(STATS) >= 3, within=STARTING)
    until(lambda: "  completed    1\n" in watch.out)
    assert "\n\n  throughput   0." in watch.out
    watch.send(signal.SIGINT)
    assert watch.wait(30) == 0
    assert watch.out.endswith("\n\nRefreshing every 2s... (Ctrl+C to stop)\n")
    assert watch.err == ""


@pytest.mark.parametrize("variable", ["TASKITO_APP", "TASKITO_DB_PATH"])
def test_a_variable_stands_for_a_flag(site: Site, variable: str) -> None:
    site.queue.enqueue("note", ["counted"])
    value = WORKSHOP if variable == "TASKITO_APP" else str(site.database)
    info = site.taskito("info", env={variable: value})
    assert info.wait(STARTING) == 0
    assert "  pending      1\n" in info.out


def test_the_last_colon_divides_module_and_attribute(site: Site) -> None:
    info = site.taskito("info", "--app", "a:b:queue")
    assert info.wait(STARTING) == 1
    assert info.err.startswith("Error: could not import module 'a:b': ")
