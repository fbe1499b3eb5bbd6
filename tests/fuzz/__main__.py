"""``python -m tests.fuzz``: many inputs for everything that parses, and the figures."""

import argparse

from tests.fuzz.driver import fuzz, shares
from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz the targets one after the other; the first defect ends it with its input."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=main.__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all; default: 1,000,000")
    parser.add_argument("--seed", type=int, default=1, help="default: 1")
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    args = parser.parse_args()
    counts = {args.target: args.inputs} if args.target else shares(args.inputs)
    total = 0
    for target, count in counts.items():
        figures = fuzz(target, count, args.seed)
        print(figures, flush=True)
        total += figures.inputs
    print(f"{total:,} inputs, no panic, no hang, no undocumented error")


if __name__ == "__main__":
    main()
