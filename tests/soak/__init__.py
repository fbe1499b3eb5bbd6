"""A mixed load for minutes, with an eye on memory, descriptors and files: ``python -m tests.soak``."""
