"""The import path of ``Queue`` in taskito 0.2; use ``from taskito import Queue``."""

from taskito.queue import Queue

__all__ = ["Queue"]
