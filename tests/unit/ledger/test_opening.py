"""An epoch's opening is held against the ledger before it, by the sealer as it folds."""

import random

import msgspec
import pytest

from ledger.errors import LedgerDiverged
from ledger.sealer import Sealing
from schemas.names import Role
from schemas.runs import EpochOpened
from tests.simulation.cast import WORKSPACE, Author, genesis


@pytest.mark.parametrize(
    ("change", "part"),
    [({}, ""), ({"size": 1}, "size"), ({"head": bytes(32)}, "head"), ({"root": bytes(32)}, "root")],
)
def test_an_opening_after_another_ledger_is_refused(change: dict[str, object], part: str) -> None:
    chance = random.Random(1)
    root, sidecar = Author(Role.ROOT, "root", chance), Author(Role.SIDECAR, "sidecar", chance)
    sealing = Sealing(WORKSPACE, sidecar.signer.public)
    for index, message in enumerate(genesis(root, [sidecar]), start=1):
        sealing.fold(index, message.subject, message.body)
    before = sealing.state
    good = EpochOpened(epoch=2, size=before.size, head=before.head, root=before.root)
    message = root.say(msgspec.structs.replace(good, **change), None, 1)
    if part:
        with pytest.raises(LedgerDiverged, match=part):
            sealing.fold(before.size + 1, message.subject, message.body)
        assert sealing.state == before
    else:
        sealing.fold(before.size + 1, message.subject, message.body)
        assert sealing.size == before.size + 1
