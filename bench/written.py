"""The ledger of the benchmark `scale`, written: signed by tellers, acknowledged, sealed, in epochs.

Its events are told by processes of their own (`bench.telling`) and sent here in order. Writing goes
on where the ledger ends: the notes say tree and chain at some entry, and what is behind it is read.
"""

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from bench.noted import Notes, Written
from bench.telling import EVENTS_A_RUN, Batch
from bus.client import Client
from bus.component import connect_as
from bus.connection import connect, disconnect
from bus.consume import CaughtUp, end_of_ledger, follow
from bus.consumer import last_of
from bus.folder import DataFolder
from bus.identity import mint_direct_user
from bus.provision import read_key
from bus.roles import LEDGER, ledger_subject, seals_subject, stream_of
from bus.tls import TlsFiles, client_context
from console.epochs import site_of, turn
from crypto.keyfile import load_signer
from crypto.kms import open_kms
from ledger.merkle import Frontier
from ledger.sealer import Sealing
from schemas.names import SECOND, Role

WORKSPACE: Final = "acme"
EPOCH: Final = 500_000
TELLERS: Final = 2
RUNS_A_BATCH: Final = 100
SEAL_EVERY: Final = 1_000
NOTE_EVERY: Final = 20
"""Batches between two notes of how far it came."""
_IN_FLIGHT: Final = 512
_PAST_NS: Final = 2_400 * SECOND
"""The tale lies in the last 40 minutes: keys are certified from an hour ago on."""


async def write(folder: DataFolder, events: int, notes: Notes) -> int:
    """Write until there are about so many entries and their seals; how many epochs they lie in."""
    now, context = int(time.time()), client_context(TlsFiles(folder.tls))
    ledger = read_key(folder.root / "operator" / WORKSPACE / "ledger.nk")
    subjects = (ledger_subject(WORKSPACE), seals_subject(WORKSPACE))
    writer = mint_direct_user(
        ledger, name="teller", now=now, expires=now + 86_400, publish=subjects
    )
    client = await connect(folder.bus_url(), writer, context, name="teller")
    reader = await connect_as(folder, Role.REP)
    book = _Book(folder, client, reader, notes)
    tellers = [await _teller(folder) for _ in range(TELLERS)]
    try:
        await book.catch_up()
        book.note()
        await book.seal()
        epochs = await _epochs(reader)
        while book.size < events:
            await _tell(book, tellers, events, until=min(events, _ends(events, epochs)))
            if book.size < events:
                with open_kms(folder.settings().kms, folder.kms, None) as kms:
                    await turn(folder, site_of(folder), kms)
                await book.catch_up()
                epochs += 1
    finally:
        for teller in tellers:
            # Cut off in the middle, nobody reads what it would still tell.
            teller.kill()
            await teller.wait()
        book.note()
        await client.close()
        await disconnect(reader)
    return epochs


def _ends(events: int, epoch: int) -> int:
    """About where an epoch ends: a short ledger has two."""
    return epoch * EPOCH if events > EPOCH else events // 2 + (epoch - 1) * events


async def _epochs(reader: Client) -> int:
    epochs = 1
    while await last_of(reader, stream_of(epochs + 1)) is not None:
        epochs += 1
    return epochs


async def _tell(
    book: "_Book", tellers: list[asyncio.subprocess.Process], events: int, *, until: int
) -> None:
    """Have the tellers tell in turn, each a batch ahead of what is written, until so many; and
    seal what was told.
    """
    count = EVENTS_A_RUN * RUNS_A_BATCH
    batches = max(1, -(-(until - book.size) // count))
    step = min(SECOND // 1_000, _PAST_NS // (events + count))
    began = time.time_ns() - _PAST_NS
    asked, base = 0, book.size

    def ask() -> None:
        nonlocal asked
        if asked < batches:
            after = base + asked * count
            batch = Batch(after, RUNS_A_BATCH, began + after * step, step)
            stdin = tellers[asked % len(tellers)].stdin
            assert stdin is not None
            stdin.write(msgspec.json.encode(batch) + b"\n")
            asked += 1

    for _ in range(2 * len(tellers)):
        ask()
    for number in range(batches):
        stdout = tellers[number % len(tellers)].stdout
        assert stdout is not None
        length = int.from_bytes(await stdout.readexactly(4), "big")
        told = msgspec.msgpack.decode(
            await stdout.readexactly(length), type=list[tuple[str, bytes]]
        )
        ask()
        await book.write(told)
        if number % NOTE_EVERY == 0:
            book.note()
    await book.seal()


async def _teller(folder: DataFolder) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.telling", str(folder.root)),
        cwd=Path(__file__).parents[1],
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


class _Book:
    """The ledger as it is written: in order, acknowledged, and sealed on the way."""

    def __init__(self, folder: DataFolder, client: Client, reader: Client, notes: Notes) -> None:
        self._client, self._reader = client, reader
        self._signer = load_signer(folder.identity(Role.SIDECAR) / "sealer.key")
        self._sealing = Sealing(WORKSPACE, self._signer.public)
        self._room = asyncio.Semaphore(_IN_FLIGHT)
        self._notes, self._began = notes, time.monotonic()
        known = notes.noted.written
        self._seconds = known.seconds
        if known.size:
            peaks = [bytes.fromhex(peak) for peak in known.peaks]
            self._sealing.resume(Frontier.at(known.size, peaks), bytes.fromhex(known.head))
        self._settled = known

    @property
    def size(self) -> int:
        """How many entries there are."""
        return self._sealing.size

    async def catch_up(self) -> None:
        """Take in what others wrote, and what was written and not noted."""
        if self.size == await end_of_ledger(self._reader):
            return
        found = follow(
            self._reader,
            stream=LEDGER,
            filter_subject=None,
            consumer="teller",
            throwaway=True,
            after=self.size,
        )
        async with contextlib.aclosing(found) as messages:
            async for message in messages:
                if isinstance(message, CaughtUp):
                    break
                self._sealing.fold(message.index, message.subject, message.body)
        self._settle()

    def note(self) -> None:
        """Have noted up to where all is acknowledged, and the time that it took."""
        seconds = self._seconds + time.monotonic() - self._began
        self._notes.note_written(replace(self._settled, seconds=seconds))

    async def write(self, told: list[tuple[str, bytes]]) -> None:
        """Append these."""
        sent = []
        for subject, body in told:
            await self._room.acquire()
            index = self.size + 1
            self._sealing.fold(index, subject, body)
            sent.append(asyncio.ensure_future(self._send(index, subject, body)))
            if index % SEAL_EVERY == 0:
                await self.seal()
        await asyncio.gather(*sent)
        self._settle()

    async def seal(self) -> None:
        """Seal all that there is."""
        if self._sealing.size > self._sealing.sealed:
            note = self._sealing.seal(self._signer, time.time_ns())
            await self._acknowledged(seals_subject(WORKSPACE), note.encode())

    def _settle(self) -> None:
        state, peaks = self._sealing.state, self._sealing.frontier.peaks
        self._settled = Written(state.size, tuple(peak.hex() for peak in peaks), state.head.hex())

    async def _send(self, index: int, subject: str, body: bytes) -> None:
        try:
            answer = await self._acknowledged(subject, body)
            assert answer["seq"] == index, (index, answer)
        finally:
            self._room.release()

    async def _acknowledged(self, subject: str, body: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(
            (await self._client.request(subject, body, timeout=60)).data
        )
        assert "error" not in answer, answer
        return answer
