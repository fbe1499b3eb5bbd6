"""The import path of ``JobResult`` in taskito 0.2; use ``from taskito import JobResult``."""

from taskito.job import JobResult

__all__ = ["JobResult"]
