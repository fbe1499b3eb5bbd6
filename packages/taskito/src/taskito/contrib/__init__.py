"""Integrations; each needs the extra of its name."""
