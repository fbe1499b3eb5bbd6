"""What ``run.py`` can be told."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks import systems
from benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).resolve().parent.parent
OURS = ("taskito:full", "taskito:normal")
FLOORS = ("sqlite:full", "sqlite:normal")
POOLS = ("threadpool", "processpool", "asyncio")
PEERS = (
    "released:tuned",
    "huey:sqlite",
    "huey:redis",
    "dramatiq",
    "celery:prefork",
    "celery:threads",
    "rq",
    "procrastinate",
)
SHORT = (*OURS, "threadpool", *FLOORS)
LONG = (*OURS, *PEERS, *POOLS, *FLOORS)


def parse(words: list[str] | None = None) -> argparse.Namespace:
    """Read the command line; lists become tuples, and what is unknown ends the program."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Measure taskito beside other ways to run the same jobs.",
        epilog="docs/benchmarks.md explains what is measured.",
    )
    add = parser.add_argument
    add("--long", action="store_true", help="all workloads and systems, not the short choice")
    add("--setup", action="store_true", help="make the environments of the systems, and end")
    add("--rounds", type=int, default=3, metavar="N", help="how often each is measured (3)")
    add("--workloads", type=_words, metavar="A,B", help=f"of {', '.join(WORKLOADS)}")
    add("--systems", type=_words, metavar="A,B", help=f"such as {', '.join(LONG)}")
    add("--jobs", type=int, default=20_000, metavar="N", help="jobs per measurement (20000)")
    add("--threads", type=int, default=2, metavar="N", help="threads of a worker (2)")
    add("--baseline", default="threadpool", metavar="SYSTEM", help="for ratios (threadpool)")
    add(
        "--directory",
        type=_folder,
        default=None,
        metavar="DIR",
        help="where databases are made (target)",
    )
    add(
        "--environments",
        type=lambda text: Path(text).absolute(),
        default=ROOT / "target" / "benchmarks",
        metavar="DIR",
        help="where other systems are installed (target/benchmarks)",
    )
    add("--patience", type=float, default=0.0, metavar="S", help="repeat what others disturb (0)")
    add("--json", type=Path, metavar="FILE", help="write every single value to FILE")
    add("--plot", type=Path, metavar="FILE", help="draw the figures as SVG into FILE")
    args = parser.parse_args(words)
    args.directory = args.directory or _made(ROOT / "target")
    args.systems = args.systems or (LONG if args.long else SHORT)
    args.workloads = args.workloads or tuple(
        name for name, workload in WORKLOADS.items() if args.long or workload.short
    )
    if unknown := set(args.workloads) - WORKLOADS.keys():
        parser.error(f"unknown workload {unknown.pop()!r}; there are {', '.join(WORKLOADS)}")
    for system in args.systems:
        try:
            systems.find(system.partition(":")[0])
        except LookupError as error:
            parser.error(str(error))
    return args


def plan(args: argparse.Namespace) -> Iterator[tuple[int, str, str]]:
    """Yield round, workload and system of each measurement; the systems take turns."""
    for turn in range(1, args.rounds + 1):
        for workload in args.workloads:
            for system in args.systems:
                yield turn, workload, system


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _folder(text: str) -> Path:
    path = Path(text).absolute()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return path
