"""Property tests here are bounded by their number of examples, not by a clock."""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
