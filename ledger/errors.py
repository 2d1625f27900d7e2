"""Errors of the ledger as evidence: seals, proofs, receipts, exports.

AnyTeamError
└── LedgerError
    ├── LedgerDiverged         the stream is not the one that was sealed
    │   └── LedgerTruncated    the stream is shorter than what was sealed
    ├── BadCheckpoint          no seal, or not one by a key that may seal
    ├── BadProof               a Merkle proof that does not lead to the root
    ├── BadReceipt             a receipt whose authentication fails
    ├── BadResume              what was verified before cannot be gone on from
    ├── NoReceipt              no such receipt, or none that a seal covers yet
    └── ExportError            an export that cannot be written or read
        ├── ExportExists       something is at the place of the new export
        ├── ExportDamaged      a file of the export is out of form; says where
        ├── NothingSelected    no sealed entry is of what was asked for
        └── BadRecipient       a key that nothing can be encrypted to
"""

from schemas.errors import AnyTeamError


class LedgerError(AnyTeamError):
    """Base of this package's errors."""


class LedgerDiverged(LedgerError):
    """The stream holds something else than what was sealed."""


class LedgerTruncated(LedgerDiverged):
    """The stream ends at `found` entries although `expected` were sealed."""

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(
            f"{expected} entries were sealed, the stream holds {found}",
            fix="stop writing; publish again from the outboxes or state the loss",
        )
        self.expected = expected
        self.found = found


class BadCheckpoint(LedgerError):
    """Text that is no checkpoint, or is not signed by a key that may seal."""


class BadProof(LedgerError):
    """An inclusion or consistency proof that does not lead to the given root."""


class BadReceipt(LedgerError):
    """A receipt whose signature or MAC does not verify, or whose bytes are no receipt."""


class BadResume(LedgerError):
    """A file of what was verified before that is not this auditor's, or not of this ledger."""

    exit_code = 2


class NoReceipt(LedgerError):
    """The ledger holds no such receipt, more than one, or none that a seal covers yet."""

    exit_code = 2


class ExportError(LedgerError):
    """Base of errors of exports."""

    exit_code = 2


class ExportExists(ExportError):
    """Something is already at the place where the export is to go."""


class ExportDamaged(ExportError):
    """A file of the export is missing or out of form; the message names file and byte."""


class NothingSelected(ExportError):
    """What was asked for is in no sealed entry of the ledger."""


class BadRecipient(ExportError):
    """Text that is no age recipient."""
