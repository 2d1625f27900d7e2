"""Revocation: a run that was stopped loses its place on the bus at once.

A run's bus identities end with its lease by themselves. Where a run is halted, its lease
revoked or its keys replaced, provisioning, which alone holds the account's keys, voids them
now, and the server drops their connections. Events of theirs are refused by then anyway.
"""

from collections.abc import AsyncIterator

from bus.component import connect_as
from bus.connection import disconnect
from bus.consume import CaughtUp
from bus.decider import Recorded
from bus.folder import DataFolder
from bus.provision import Site, revoke_users
from console.author import Reader
from crypto.trust import Trust
from schemas.leases import Lease
from schemas.names import SECOND, Role
from schemas.runs import LeaseGranted, LeaseRenewed, LeaseRevoked, RunCompleted, RunHalted


async def revoke_stopped(folder: DataFolder, site: Site, workspace: str) -> None:
    """Follow the ledger and revoke, until cancelled. Raises `ProvisionError`."""
    client = await connect_as(folder, Role.ROOT)
    try:
        reader = Reader(client, Trust(workspace, folder.root_public()), name="revocation")
        async for lease in _stopped(reader):
            users = [key.user for key in lease.keys if key.user]
            await revoke_users(site, workspace, users, until=lease.not_after // SECOND + 1)
    finally:
        await disconnect(client)


async def _stopped(reader: Reader) -> AsyncIterator[Lease]:
    """The leases whose keys are void before their time, from now on."""
    leases: dict[str, Lease] = {}
    live = False
    async for item in reader.follow():
        if isinstance(item, CaughtUp):
            live = True
            continue
        void = _fold(leases, item)
        if live and void is not None:
            yield void


def _fold(leases: dict[str, Lease], recorded: Recorded) -> Lease | None:
    """Note one event; the lease that it voids before its time, or None."""
    body, run = recorded.event.body, recorded.event.run
    if run is None:
        return None
    if isinstance(body, LeaseGranted | LeaseRenewed):
        former = leases.get(run)
        leases[run] = body.lease
        return former
    if isinstance(body, RunHalted | LeaseRevoked):
        return leases.pop(run, None)
    if isinstance(body, RunCompleted):
        leases.pop(run, None)
    return None
