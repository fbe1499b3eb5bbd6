"""For tests of programs that use taskito.

:func:`assert_enqueued` and :func:`assert_not_enqueued` look at what is stored. The fixtures
``taskito_queue`` and ``taskito_worker`` come with the pytest plugin, which pytest finds by
itself; :class:`ManualWorker` is the type of the latter.
"""

from taskito.testing._asserts import assert_enqueued, assert_not_enqueued
from taskito.testing._manual import ManualWorker

__all__ = ["ManualWorker", "assert_enqueued", "assert_not_enqueued"]
