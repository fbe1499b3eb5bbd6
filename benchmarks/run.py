"""Measure taskito beside other ways to run the same jobs.

``python benchmarks/run.py``; ``--help`` lists the options, docs/benchmarks.md explains them.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Probes and workers import the same package, so it must have one name in all of them.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from benchmarks.driver import main

    sys.exit(main())
