"""For tests of programs that use taskito.

:class:`TestMode`, or ``queue.test_mode()``, runs jobs where they are enqueued, without any
database; :class:`TestResults` says what ran. :func:`assert_enqueued` and
:func:`assert_not_enqueued` look at what is stored. The fixtures ``taskito_queue`` and
``taskito_worker`` come with the pytest plugin, which pytest finds by itself;
:class:`ManualWorker` is the type of the latter.
"""

from taskito.testing._asserts import assert_enqueued, assert_not_enqueued
from taskito.testing._manual import ManualWorker
from taskito.testing._mode import TestMode
from taskito.testing._results import TestResult, TestResults

__all__ = [
    "ManualWorker",
    "TestMode",
    "TestResult",
    "TestResults",
    "assert_enqueued",
    "assert_not_enqueued",
]
