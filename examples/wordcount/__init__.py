"""The demo: one durable job per file, a killed worker, and a check of every number."""
