"""The ledger's epochs as streams: closing one, opening the next, dropping an archived one.

A ledger goes on from stream to stream under one count: the next begins at the index after the last
of the one before. At no moment do two streams take the ledger's subjects, and between them none
does, so that whoever publishes meanwhile gets no answer and asks again. Every step can be repeated,
and what is left to do follows from how the streams are configured (`under_way`), so a turn that was
cut off goes on from there. Only provisioning acts here, by the key of the account that owns them.
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, Final

from msgspec import Struct

from bus.client import Client
from bus.connection import connect, disconnect
from bus.errors import ProvisionError
from bus.provision import Site, errand, query, read_key, stream_config
from bus.roles import LEDGER, SEALS, ledger_subject, stream_of
from schemas.authority import subject

_NAME: Final = re.compile(rf"{LEDGER}(?:-([1-9][0-9]*))?")


class Taking(Enum):
    """What an epoch's stream takes."""

    ALL = "open"
    ITS_OPENING = "opening"
    NOTHING = "closed"


class Epoch(Struct, frozen=True):
    """One epoch's stream. It holds entries `first` to `last`; none where `last` is below."""

    number: int
    first: int
    last: int
    taking: Taking
    sealed: bool

    @property
    def stream(self) -> str:
        """The stream's name."""
        return stream_of(self.number)


class Turning(Enum):
    """How far a turn has come. Each is left by one step, and each step can be taken again."""

    NOT = "no turn is under way"
    CLOSED = "the old epoch takes nothing more, the new one is not there"
    MADE = "the new epoch waits for its opening"
    OPENED = "the new epoch's opening is recorded, it takes nothing else"
    OPEN = "the new epoch takes all, the old stream is not sealed yet"


def under_way(epochs: tuple[Epoch, ...]) -> Turning:
    """How far the last turn has come, from the streams there are, oldest first."""
    if not epochs:
        return Turning.NOT
    newest = epochs[-1]
    if newest.taking is Taking.NOTHING:
        return Turning.CLOSED
    if newest.taking is Taking.ITS_OPENING:
        return Turning.MADE if newest.last < newest.first else Turning.OPENED
    if any(not epoch.sealed for epoch in epochs[:-1]):
        return Turning.OPEN
    return Turning.NOT


class Epochs:
    """The streams of one workspace's ledger, on one provisioning connection."""

    def __init__(self, client: Client, workspace: str) -> None:
        self._client = client
        self._workspace = workspace

    async def all(self) -> tuple[Epoch, ...]:
        """The epochs on the bus, oldest first. Raises `ProvisionError`."""
        names = (await self._ask("NAMES", ""))["streams"] or ()
        numbers = sorted(int(m[1] or 1) for n in names if (m := _NAME.fullmatch(n)) is not None)
        return tuple([await self._epoch(number) for number in numbers])

    async def last_seal(self) -> int:
        """The last place in the seals stream, 0 for none."""
        return int((await self._ask("INFO", SEALS))["state"]["last_seq"])

    async def close(self, epoch: Epoch) -> Epoch:
        """Let the stream take nothing more; what it holds then is final."""
        await self._update(epoch.number, _closed_subject(self._workspace, epoch.number))
        return await self._epoch(epoch.number)

    async def reopen(self, epoch: Epoch) -> None:
        """Undo `close`, as long as there is no next epoch."""
        await self._update(epoch.number, ledger_subject(self._workspace))

    async def make_next(self, epoch: Epoch) -> Epoch:
        """The stream that goes on after a closed one. It takes its opening event alone."""
        number = epoch.number + 1
        there = (await self._ask("INFO", epoch.stream))["config"]
        opening = subject(self._workspace, None, "epoch")
        config = stream_config(stream_of(number), opening, there["num_replicas"])
        config["first_seq"] = epoch.last + 1
        await self._ask("CREATE", stream_of(number), config)
        return await self._epoch(number)

    async def open(self, epoch: Epoch) -> None:
        """Let the stream take all of the ledger's subjects."""
        await self._update(epoch.number, ledger_subject(self._workspace))

    async def seal(self, epoch: Epoch) -> None:
        """Let the server refuse every change of a closed stream, and send its readers on."""
        if not epoch.sealed:
            await self._update(epoch.number, _closed_subject(self._workspace, epoch.number), True)
        answer = await query(self._client, f"$JS.API.CONSUMER.NAMES.{epoch.stream}")
        for name in answer.get("consumers") or ():
            await query(self._client, f"$JS.API.CONSUMER.DELETE.{epoch.stream}.{name}")

    async def drop(self, epoch: Epoch) -> None:
        """Remove a closed epoch's stream. Whoever calls has its archive, and verified it."""
        if not epoch.sealed:
            raise ProvisionError(f"epoch {epoch.number} is not closed", fix="turn it first")
        await self._ask("DELETE", epoch.stream)

    async def _epoch(self, number: int) -> Epoch:
        there = await self._ask("INFO", stream_of(number))
        config, state = there["config"], there["state"]
        subjects = config.get("subjects") or []
        if subjects == [ledger_subject(self._workspace)]:
            taking = Taking.ALL
        elif subjects == [subject(self._workspace, None, "epoch")]:
            taking = Taking.ITS_OPENING
        else:
            taking = Taking.NOTHING
        first = int(config.get("first_seq") or 1)
        return Epoch(number, first, int(state["last_seq"]), taking, bool(config.get("sealed")))

    async def _update(self, number: int, takes: str, sealed: bool = False) -> None:
        there = (await self._ask("INFO", stream_of(number)))["config"]
        config = stream_config(stream_of(number), takes, there["num_replicas"])
        if there.get("first_seq"):
            config["first_seq"] = there["first_seq"]
        if sealed:
            config["sealed"] = True
        await self._ask("UPDATE", stream_of(number), config)

    async def _ask(
        self, verb: str, stream: str, config: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        body = json.dumps(config).encode() if config is not None else b""
        answer = await query(self._client, f"$JS.API.STREAM.{verb}.{stream}".rstrip("."), body)
        problem = answer.get("error")
        if problem:
            raise ProvisionError(
                f"the server refused {verb} of stream {stream}: {problem.get('description')}",
                fix="see the server's log; its disk may be full",
            )
        return answer


@asynccontextmanager
async def epochs_of(site: Site, workspace: str) -> AsyncIterator[Epochs]:
    """The workspace's epochs, as provisioning."""
    account = read_key(site.operator / workspace / "ledger.nk")
    verbs = ("INFO", "CREATE", "UPDATE", "DELETE")
    may = [
        "$JS.API.STREAM.NAMES",
        *(f"$JS.API.STREAM.{verb}.*" for verb in verbs),
        "$JS.API.CONSUMER.NAMES.*",
        "$JS.API.CONSUMER.DELETE.*.*",
    ]
    client = await connect(site.url, errand(account, may), site.tls, name=f"epochs of {workspace}")
    try:
        yield Epochs(client, workspace)
    finally:
        await disconnect(client)


def _closed_subject(workspace: str, number: int) -> str:
    # A stream must have a subject; nobody is given this one.
    return f"closed.{workspace}.{number}"
