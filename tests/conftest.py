"""Settings for every test."""

from hypothesis import settings

# A slow machine is no failure: timings belong in benchmarks/.
settings.register_profile("gate", deadline=None)
settings.load_profile("gate")
