"""Drives operations until there is nothing left to drive, or until it is killed."""

import os
import time

from taskito import Queue
from taskito.bulk import Bulk


def main() -> None:
    with Queue(os.environ["SITE_DATABASE"]) as queue:
        bulk = Bulk(queue)
        while any(not operation.is_over for operation in bulk.operations()):
            time.sleep(min(bulk.drive() or 0.05, 0.05))


if __name__ == "__main__":
    main()
