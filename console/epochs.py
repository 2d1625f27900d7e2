"""Turning the ledger's epoch: an old stream is closed at a sealed index, a new one goes on.

The new one's first entry, which the root signs, carries size, chain head and Merkle root of all
before it, as the sealer's own seal of exactly that size has them; every reader holds it against
what it folded. A turn that was cut off is gone on with by the next, or by the next `anyteam up`;
before there is a new stream it can still be undone, and is where no seal comes.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator

from msgspec import Struct

from bus.component import connect_as
from bus.connection import BusClient, disconnect
from bus.consume import CaughtUp, follow
from bus.epochs import Epoch, Epochs, Turning, epochs_of, under_way
from bus.folder import DataFolder
from bus.provision import Site
from bus.roles import SEALS
from bus.tls import TlsFiles, client_context
from console.author import Pen, say
from console.errors import NotTurned
from console.pens import root_pen, root_reader
from crypto.kms import Kms
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.errors import BadCheckpoint
from schemas.names import Role
from schemas.runs import EpochOpened

SEAL_S = 20.0
"""How long a turn waits for the seal of the old epoch's last entry."""
_SEALS_BACK = 16

Step = Callable[[Turning], None]


class Hands(Struct, frozen=True):
    """What a turn works with: the streams, the root's connection, and its pen."""

    epochs: Epochs
    client: BusClient
    folder: DataFolder
    workspace: str
    pen: Pen


def site_of(folder: DataFolder) -> Site:
    """Where the running installation is provisioned. Raises `StreamUnavailable` where none is."""
    return Site(folder.root / "operator", folder.bus_url(), client_context(TlsFiles(folder.tls)))


async def turn(folder: DataFolder, site: Site, kms: Kms, step: Step = lambda at: None) -> Epoch:
    """Close the present epoch and open the next, which is returned. `step` is told of each step.

    Raises `NotTurned` where there is nothing to close, another turn is under way, or no seal comes:
    then the old epoch goes on. Raises `ProvisionError` where the server refuses.
    """
    with alone(folder):
        async with _hands(folder, site, kms) as hands:
            await _go_on(hands, SEAL_S, step)
            newest = (await hands.epochs.all())[-1]
            if newest.last <= newest.first:
                raise NotTurned(
                    f"epoch {newest.number} holds no entries but its opening", fix="let it grow"
                )
            step(Turning.NOT)
            await hands.epochs.close(newest)
            if not await _go_on(hands, SEAL_S, step):
                raise NotTurned(
                    f"no seal of the last of {newest.last} entries came within {SEAL_S:.0f} s; the"
                    " epoch goes on as it was",
                    fix="see that the sidecar is up (`anyteam status`), and turn again",
                )
            return (await hands.epochs.all())[-1]


async def recover(folder: DataFolder, site: Site, kms: Kms) -> None:
    """Finish a turn that was cut off, or undo it where it can no longer be: no sealer is up yet."""
    with alone(folder):
        async with _hands(folder, site, kms) as hands:
            await _go_on(hands, 0, lambda at: None)


async def _go_on(hands: Hands, patience_s: float, step: Step) -> bool:
    """Take the steps that are left; False where the turn was undone instead."""
    while True:
        all_ = await hands.epochs.all()
        at = under_way(all_)
        if at is Turning.NOT:
            return True
        step(at)
        newest = all_[-1]
        if at is Turning.CLOSED:
            if await _seal_at(hands, newest.last, patience_s) is None:
                await hands.epochs.reopen(newest)
                return False
            await hands.epochs.make_next(newest)
        elif at is Turning.MADE:
            await _record_opening(hands, newest, patience_s)
        elif at is Turning.OPENED:
            await _check_opening(hands, newest)
            await hands.epochs.open(newest)
        else:
            for epoch in all_[:-1]:
                if not epoch.sealed:
                    await hands.epochs.seal(epoch)


async def _record_opening(hands: Hands, epoch: Epoch, patience_s: float) -> None:
    seal = await _seal_at(hands, epoch.first - 1, patience_s)
    if seal is None:
        raise NotTurned(
            f"the seal of {epoch.first - 1} entries, after which epoch {epoch.number} begins, is"
            " not to be found",
            fix="run `anyteam verify` on an export: the seals stream has lost it",
        )
    reader = root_reader(hands.client, hands.folder, hands.workspace)
    await reader.catch_up()
    opening = EpochOpened(epoch=epoch.number, size=seal.size, head=seal.head, root=seal.root)
    await say(hands.client, reader, hands.pen, opening, run=None)


async def _check_opening(hands: Hands, epoch: Epoch) -> None:
    reader = root_reader(hands.client, hands.folder, hands.workspace)
    for recorded in await reader.catch_up():
        body = recorded.event.body
        if recorded.index == epoch.first and isinstance(body, EpochOpened):
            if (body.epoch, body.size) == (epoch.number, epoch.first - 1):
                return
    raise NotTurned(
        f"entry {epoch.first} is not the root's opening of epoch {epoch.number}",
        fix="somebody else holds the root's bus identity: revoke it, and ask for help",
    )


async def _seal_at(hands: Hands, size: int, patience_s: float) -> Checkpoint | None:
    """The seal of exactly `size` entries, by a key that the root certified as the sealer's."""
    reader = root_reader(hands.client, hands.folder, hands.workspace)
    await reader.catch_up()
    keys = reader.trust.keys_of(Role.SIDECAR, "sealer")
    after = max(0, await hands.epochs.last_seal() - _SEALS_BACK)
    seals = follow(
        hands.client,
        stream=SEALS,
        filter_subject=None,
        consumer=Role.ROOT.value,
        throwaway=True,
        after=after,
    )
    async with contextlib.aclosing(seals) as notes:
        try:
            async with asyncio.timeout(patience_s or None):
                async for note in notes:
                    if isinstance(note, CaughtUp):
                        if not patience_s:
                            return None
                        continue
                    with contextlib.suppress(BadCheckpoint, UnicodeDecodeError):
                        seal = open_checkpoint(note.body.decode(), hands.workspace, keys)
                        if seal.size == size:
                            return seal
        except TimeoutError:
            return None
    return None


@contextlib.asynccontextmanager
async def _hands(folder: DataFolder, site: Site, kms: Kms) -> AsyncIterator[Hands]:
    workspace = folder.settings().workspace
    client = await connect_as(folder, Role.ROOT)
    try:
        async with epochs_of(site, workspace) as epochs:
            yield Hands(epochs, client, folder, workspace, root_pen(kms, workspace))
    finally:
        await disconnect(client)


@contextlib.contextmanager
def alone(folder: DataFolder) -> Iterator[None]:
    """One change of the epochs at a time, however its process ends."""
    lock = os.open(folder.root / "operator" / "epochs.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise NotTurned(
                "another change of the epochs is under way", fix="wait until it is done"
            ) from error
        yield
    finally:
        os.close(lock)
