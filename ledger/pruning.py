"""Keeping a component's outbox small: what a seal covers need not be kept any longer."""

from bus.client import Client
from bus.consume import CaughtUp, follow
from bus.outbox import Outbox
from bus.roles import SEALS
from crypto.trust import Trust
from ledger.checkpoint import open_checkpoint
from ledger.errors import BadCheckpoint
from ledger.taking import Taking
from schemas.names import Role


async def prune(
    client: Client,
    trust: Trust,
    outbox: Outbox,
    *,
    component: str,
    taking: Taking | None = None,
    after: int = 0,
) -> None:
    """Follow the seals after place `after`, and drop from `outbox` what they cover, until
    cancelled; tell `taking` of each.

    Raises `LedgerDiverged` where a seal is of another history than was folded.
    """
    stream = follow(
        client,
        stream=SEALS,
        filter_subject=None,
        consumer=f"{component}-seals",
        throwaway=True,
        after=after,
    )
    async for message in stream:
        if isinstance(message, CaughtUp):
            continue
        keys = trust.keys_of(Role.SIDECAR, "sealer")
        try:
            note = message.body.decode()
            if taking is not None:
                await taking.sealed(message.index, note)
            outbox.sealed_up_to(open_checkpoint(note, trust.workspace, keys).size)
        except (BadCheckpoint, UnicodeDecodeError):
            # Junk, or a seal from before this reader knew its key: the next one covers more.
            continue
