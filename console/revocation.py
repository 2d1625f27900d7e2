"""Revocation: a run that was stopped loses its place on the bus at once.

A run's bus identities end with its lease by themselves. Where a run is halted, its lease
revoked or its keys replaced, provisioning, which alone holds the account's keys, voids them
now, and the server drops their connections. Events of theirs are refused by then anyway.

It reads on from the ledger's end, so that it is at work as soon as it is started. Of a run that
was there before, that run and what the workspace said are read once such an event comes.
"""

import contextlib
from collections.abc import AsyncIterator, Iterable
from heapq import merge
from operator import attrgetter

from bus.component import connect_as
from bus.connection import BusClient, disconnect
from bus.consume import CaughtUp, Filter, Message, end_of_ledger, follow
from bus.folder import DataFolder
from bus.provision import Site, revoke_users
from bus.roles import LEDGER, run_subject
from console.author import Reader
from crypto.errors import Rejected
from crypto.trust import Trust
from schemas.authority import of_the_workspace
from schemas.events import Event
from schemas.leases import Lease
from schemas.names import SECOND, Role
from schemas.runs import (
    LeaseGranted,
    LeaseRenewed,
    LeaseRevoked,
    RunCompleted,
    RunHalted,
)

_VOIDING = (LeaseRenewed, LeaseRevoked, RunHalted)


async def revoke_stopped(folder: DataFolder, site: Site, workspace: str) -> None:
    """Follow the ledger and revoke, until cancelled. Raises `ProvisionError`."""
    client = await connect_as(folder, Role.ROOT)
    try:
        since = await end_of_ledger(client)
        async for lease in stopped(client, workspace, folder.root_public(), since):
            users = [key.user for key in lease.keys if key.user]
            await revoke_users(site, workspace, users, until=lease.not_after // SECOND + 1)
    finally:
        await disconnect(client)


async def stopped(
    client: BusClient, workspace: str, root_public: bytes, since: int
) -> AsyncIterator[Lease]:
    """The leases whose keys are void before their time, by what comes after index `since`."""
    admin = of_the_workspace(workspace)
    # Runs that were there before are met in their middle; what voids a lease of theirs is held
    # against their beginning. Who may speak is read whole.
    trust = Trust(workspace, root_public, partial=True)
    for message in await _past(client, admin, since):
        with contextlib.suppress(Rejected):
            trust.accept(message.subject, message.body)
    reader = Reader(client, trust, name="revocation")
    reader.index = since
    leases: dict[str, Lease] = {}
    async for item in reader.follow():
        if isinstance(item, CaughtUp) or item.event.run is None:
            continue
        run, body = item.event.run, item.event.body
        if run in leases or isinstance(body, LeaseGranted):
            void = _fold(leases, item.event)
        elif isinstance(body, _VOIDING):
            whole = merge(
                await _past(client, admin, item.index),
                await _past(client, run_subject(workspace, run), item.index),
                key=attrgetter("index"),
            )
            void = voided_by_last(Trust(workspace, root_public), run, whole)
        else:
            continue
        if void is not None:
            yield void


def voided_by_last(trust: Trust, run: str, entries: Iterable[Message]) -> Lease | None:
    """The lease of `run` that the last of these entries voids before its time, or None.

    They are all of the run's and of the workspace's own, in order, and `trust` has read nothing.
    """
    leases: dict[str, Lease] = {}
    void = None
    for message in entries:
        void = None
        with contextlib.suppress(Rejected):
            event = trust.accept(message.subject, message.body).event
            if event.run == run:
                void = _fold(leases, event)
    return void


async def _past(client: BusClient, subjects: Filter, until: int) -> list[Message]:
    """The entries on `subjects` up to index `until`."""
    found = list[Message]()
    reading = follow(
        client, stream=LEDGER, filter_subject=subjects, consumer="revocation", throwaway=True
    )
    async with contextlib.aclosing(reading) as entries:
        async for message in entries:
            if isinstance(message, CaughtUp) or message.index > until:
                break
            found.append(message)
    return found


def _fold(leases: dict[str, Lease], event: Event) -> Lease | None:
    """Note one event of a run; the lease that it voids before its time, or None."""
    body, run = event.body, event.run
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
