"""Measurements of taskito beside other ways to run the same jobs; ``run.py`` is the entry."""
