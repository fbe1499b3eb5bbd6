"""Rules about the installation: versions, the files of the database, the disk."""

from collections.abc import Iterator

from taskito._readers import LONG_LOG
from taskito_dashboard import words
from taskito_dashboard.problem import PROGRAM, Problem
from taskito_dashboard.world import CLOCK_MS, World

LEAST_FREE = 2**30
MOST_FINISHED = 1_000_000


def old_workers(world: World) -> Iterator[Problem]:
    """A worker runs another version than this page."""
    other = [worker for worker in world.live if worker["version"] != world.version]
    for worker in other:
        yield Problem(
            level="warn",
            rule="worker_version",
            head="Another version in worker",
            name=f"{worker['hostname']}:{worker['pid']}",
            tail=f"it runs {worker['version']}, this page {world.version}.",
            link=("workers",),
            label="Workers",
            command="pip install --upgrade taskito",
        )


def clocks(world: World) -> Iterator[Problem]:
    """A worker lives in the future: a clock was set back, or is another one."""
    for worker in world.workers:
        ahead = worker["last_heartbeat"] - world.now
        if ahead > CLOCK_MS:
            yield Problem(
                level="warn",
                rule="clock",
                head="The clock differs from that of worker",
                name=f"{worker['hostname']}:{worker['pid']}",
                tail=f"its last heartbeat is {words.duration(ahead)} ahead; "
                "delays and schedules follow the clock.",
                link=("workers",),
                label="Workers",
                command="timedatectl status",
            )


def database(world: World) -> Iterator[Problem]:
    """The files of the database grow too large, or the disk is too small for them."""
    if world.network is not None:
        yield Problem(
            level="bad",
            rule="network_file",
            head="The database lies on a network file system",
            tail=f"{world.network}: locks and shared memory do not work there. "
            "Move it to a local disk.",
            link=("system",),
            label="System",
            command="taskito doctor",
        )
    if world.log_size is not None and world.log_size > LONG_LOG:
        who = ", ".join(world.log_readers) or "a reader that never ends"
        yield Problem(
            level="warn",
            rule="large_log",
            head="The write-ahead log is large",
            tail=f"{words.size(world.log_size)}; {who} keeps it from shrinking.",
            link=("system",),
            label="System",
            command="taskito doctor",
        )
    if world.free is not None and world.free < LEAST_FREE:
        yield Problem(
            level="bad",
            rule="disk_full",
            head="The disk is nearly full",
            tail=f"{words.size(world.free)} left beside the database.",
            link=("system",),
            label="System",
            command="taskito purge --older-than 7d",
        )
    if world.keeps_all and world.finished > MOST_FINISHED:
        yield Problem(
            level="warn",
            rule="nothing_deleted",
            head="Finished jobs are never deleted",
            tail=f"{words.count(world.finished)} jobs are kept; "
            f"set Queue(result_ttl=7 * 86400) in {PROGRAM}.",
            link=("system",),
            label="System",
            command="taskito purge --older-than 7d",
        )
