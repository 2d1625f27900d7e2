"""Errors of the benchmarks.

AnyTeamError
  BenchError
    NotThese
"""

from schemas.errors import AnyTeamError


class BenchError(AnyTeamError):
    """A benchmark cannot be done."""


class NotThese(BenchError):
    """The folder holds the notes of another benchmark, or none that can be read."""
