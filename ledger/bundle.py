"""A receipt taken away: one JSON file that `ledger.offline` verifies from the root key alone.

It holds the entry that carries the receipt and the entry that wrote its action ahead, each with
its inclusion proof (RFC 6962), the sealed checkpoint that both are proved against, and the
root's certificates of the three keys that speak in them. Entries are the signed bytes as they
lie in the ledger; they are never encoded again.
"""

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from crypto.errors import Rejected
from crypto.trust import Trust, Verified
from ledger.chain import leaf_of
from ledger.checkpoint import open_checkpoint
from ledger.errors import BadCheckpoint, BadReceipt, NoReceipt
from ledger.merkle import Tree
from ledger.offline import FORMAT
from ledger.receipt import check_receipt
from schemas.actions import ActionStarted, Receipt, ReceiptIssued
from schemas.names import Role
from schemas.runs import KeyCertified

_HOLDERS = ("sidecar", "receipts", "sealer")


class Issued(Struct, frozen=True):
    """A verified receipt: the entry that carries it, and the entry of its action."""

    receipt: Receipt
    index: int
    body: bytes
    action: tuple[int, bytes]
    proposal: bytes

    def named(self, prefix: str) -> bool:
        """Whether `prefix` begins the hex digest of its action or its proposal."""
        return bool(prefix) and (
            self.receipt.action.hex().startswith(prefix) or self.proposal.hex().startswith(prefix)
        )


class Receipts:
    """Folds a ledger's entries in order, from the first; then gives receipts and their files."""

    def __init__(self, workspace: str, root_public: bytes) -> None:
        self._workspace = workspace
        self._trust = Trust(workspace, root_public)
        self._tree = Tree()
        self._certificates: dict[str, tuple[bytes, bytes]] = {}
        self._started: dict[bytes, tuple[int, bytes, bytes]] = {}
        self._issued: list[Issued] = []

    def fold(self, index: int, subject: str, body: bytes) -> None:
        """Take in the next entry; one that is not valid is a leaf and nothing else."""
        self._tree.append(leaf_of(body))
        try:
            verified = self._trust.accept(subject, body)
        except Rejected:
            return
        held = verified.event.body
        if isinstance(held, KeyCertified):
            granted = held.certificate
            if granted.role is Role.SIDECAR and granted.instance in _HOLDERS:
                self._certificates[granted.instance] = (granted.public_key, body)
        elif isinstance(held, ActionStarted):
            self._started[verified.digest] = (index, body, held.proposal)
        elif isinstance(held, ReceiptIssued):
            self._take(index, body, verified, held)

    def __iter__(self) -> Iterator[Issued]:
        """The receipts, in order."""
        return iter(self._issued)

    def find(self, prefix: str) -> Issued:
        """The receipt of an action or proposal. Raises `NoReceipt` unless there is just one."""
        found = [one for one in self._issued if one.named(prefix.lower())]
        if len(found) != 1:
            what = f"{len(found)} receipts are" if found else "no receipt is"
            raise NoReceipt(
                f"{what} for an action or proposal that begins with {prefix!r}",
                fix="list them with `anyteam receipt list`, and give more of the digest",
            )
        return found[0]

    def bundle(self, issued: Issued, seals: Iterable[str]) -> dict[str, Any]:
        """The file for one receipt, as a JSON object, under the first seal that covers it.

        Raises `NoReceipt` where none covers it yet.
        """
        note, size = self._covering(issued.index, seals)
        index, body = issued.action
        return {
            "format": FORMAT,
            "workspace": self._workspace,
            "receipt": self._proved(issued.index, issued.body, size),
            "action": self._proved(index, body, size),
            "checkpoint": note,
            "keys": {holder: {"body": _b64(self._certificates[holder][1])} for holder in _HOLDERS},
        }

    def _take(self, index: int, body: bytes, verified: Verified, held: ReceiptIssued) -> None:
        if "receipts" not in self._certificates:
            return
        try:
            receipt = check_receipt(held, self._certificates["receipts"][0], None)
        except BadReceipt:
            return
        started = self._started.get(receipt.action)
        if started is not None and receipt.run == verified.event.run:
            first, ahead, proposal = started
            self._issued.append(Issued(receipt, index, body, (first, ahead), proposal))

    def _covering(self, index: int, seals: Iterable[str]) -> tuple[str, int]:
        keys = self._trust.keys_of(Role.SIDECAR, "sealer")
        for note in seals:
            try:
                found = open_checkpoint(note, self._workspace, keys)
            except BadCheckpoint:
                continue
            if index <= found.size <= self._tree.size and self._tree.root(found.size) == found.root:
                return note, found.size
        raise NoReceipt(
            f"no seal covers entry {index} yet", fix="try again in a second, with the sidecar up"
        )

    def _proved(self, index: int, body: bytes, size: int) -> dict[str, Any]:
        path = self._tree.inclusion(index - 1, size)
        return {"index": index, "body": _b64(body), "path": [_b64(step) for step in path]}


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
