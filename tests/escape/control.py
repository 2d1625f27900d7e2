"""The same attempts by a program without walls: `python -m tests.escape.control`.

What does not succeed here was no attempt. Those on the bus are made by a user of the whole
account. It reads the field on standard input and writes one outcome a line.
"""

import asyncio
import os
import sys

import msgspec
from msgspec import Struct

from bus.connection import connect
from bus.identity import UserIdentity
from bus.tls import TlsIdentity
from tests.escape import bus, files, itself, machine, network, others  # noqa: F401 - they list
from tests.escape.attempts import ATTEMPTS, Attempt, Control, Hands, Outcome, made
from tests.escape.field import Field


class Unconfined(Struct, frozen=True):
    """What the control is given. `planted` lies in its memory as somebody else's key would."""

    field: Field
    url: str
    tls: TlsIdentity
    user: UserIdentity
    planted: str


def expected() -> list[Attempt]:
    """The attempts that must succeed for this user; those that upset the installation last."""
    own = {Control.ANYBODY, Control.ROOT} if os.geteuid() == 0 else {Control.ANYBODY}
    found = [each for each in ATTEMPTS.values() if each.control in own]
    return sorted(found, key=lambda each: each.act.__module__ == bus.__name__)


async def play(given: Unconfined) -> None:
    """Make every attempt that a control can make."""
    client = await connect(given.url, given.user, given.tls.context(), name="without walls")
    try:
        await made(expected(), Hands(given.field, None, client, given.tls.key), tell)
    finally:
        await client.close()


def tell(outcome: Outcome) -> None:
    """One line of standard output."""
    print(msgspec.json.encode(outcome).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(play(msgspec.json.decode(sys.stdin.buffer.readline(), type=Unconfined)))
