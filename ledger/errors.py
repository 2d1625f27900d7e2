"""Errors of the ledger: chain, seals, receipts, exports.

    AnyTeamError
    └── LedgerError
        ├── BadNote              no signed note, or not under this key
        ├── BadReceipt           a receipt that does not check
        ├── BadExport            an export that cannot be read
        ├── LedgerTruncated      the stream is shorter than what was sealed
        └── LedgerRewritten      the stream is other than what was sealed
"""

from schemas.errors import AnyTeamError


class LedgerError(AnyTeamError):
    """Base of this package's errors."""


class BadNote(LedgerError):
    """Not a signed note of ours, or its signature does not verify."""


class BadReceipt(LedgerError):
    """A receipt whose signature or code does not check."""


class BadExport(LedgerError):
    """An export that is incomplete or out of form."""

    exit_code = 2


class LedgerTruncated(LedgerError):
    """The stream holds fewer entries than a seal covers."""


class LedgerRewritten(LedgerError):
    """The stream's entries are not those that a seal covers."""
