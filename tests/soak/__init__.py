"""A mixed load for minutes, with an eye on memory and files: ``python -m tests.soak``."""
