"""How many examples are tried: ``--hypothesis-profile=long`` means ten times as many."""

from hypothesis import settings

settings.register_profile("long", settings.get_profile("busy"), max_examples=1000)
