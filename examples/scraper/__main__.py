"""Crawl a web that this program makes up and serves itself.

``python examples/scraper``; ``--help`` lists the options, README.md in the folder above says
what to look for.
"""

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":
    # The workers import the same package, so it must have one name everywhere.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from examples.common import program
from examples.scraper.run import Options, crawl


def main() -> int:
    """Run the example; return its exit status."""
    parser = argparse.ArgumentParser(prog="scraper", description="Crawl a made-up web.")
    add = parser.add_argument
    add("--pages", type=program.positive, default=120, metavar="N", help="size of the web (120)")
    add("--seed", type=int, default=1, metavar="N", help="chooses its words and links (1)")
    add("--workers", type=program.positive, default=2, metavar="N", help="worker processes (2)")
    add("--keep", action="store_true", help="leave the temporary folder in place")
    add("--json", action="store_true", help="print one JSON document instead of the table")
    args = parser.parse_args()
    options = Options(pages=args.pages, seed=args.seed, workers=args.workers, keep=args.keep)
    return program.run(lambda screen: crawl(options, screen), as_json=args.json)


if __name__ == "__main__":
    sys.exit(main())
