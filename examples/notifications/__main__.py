"""Send notifications within the limits of a provider that is flaky.

``python examples/notifications``; ``--help`` lists the options, README.md in the folder above
says what to look for.
"""

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":
    # The workers import the same package, so it must have one name everywhere.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.common import program
from examples.notifications.run import Options, notify_all


def main() -> int:
    """Run the example; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="notifications", description="Notifications within the limits of a provider."
    )
    add = parser.add_argument
    add("--tenants", type=program.positive, default=3, metavar="N", help="how many customers (3)")
    add("--notices", type=program.positive, default=12, metavar="N", help="messages of each (12)")
    add("--seed", type=int, default=1, metavar="N", help="chooses what happens (1)")
    add("--workers", type=program.positive, default=2, metavar="N", help="worker processes (2)")
    add("--keep", action="store_true", help="leave the temporary folder in place")
    add("--json", action="store_true", help="print one JSON document instead of the table")
    args = parser.parse_args()
    options = Options(
        tenants=args.tenants,
        notices=args.notices,
        seed=args.seed,
        workers=args.workers,
        keep=args.keep,
    )
    return program.run(lambda screen: notify_all(options, screen), as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
