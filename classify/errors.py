"""Errors of detection.

AnyTeamError
└── ClassifyError
    └── ModelMissing       the language model's package is not installed
"""

from schemas.errors import AnyTeamError


class ClassifyError(AnyTeamError):
    """Base of this package's errors."""


class ModelMissing(ClassifyError):
    """The language model's package is not installed."""

    exit_code = 2
