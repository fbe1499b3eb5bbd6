"""Producers and workers killed again and again: ``python -m tests.crash.cycles``."""
