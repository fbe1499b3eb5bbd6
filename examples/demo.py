"""Count the words of thousands of files, and lose a worker on the way.

``python examples/demo.py [FOLDER ...]``; ``--help`` lists the options, README.md beside this
file says what to look for.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # The worker process imports the same package, so it must have one name in both.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    from examples.wordcount.cli import main

    sys.exit(main())
