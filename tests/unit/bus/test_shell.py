"""A shell that lost a part of itself ends, and says so: nothing in it stands still unseen."""

import asyncio

import pytest

from bus.client import Client, ConnectionClosedError, Msg
from bus.errors import BusError, StreamUnavailable
from bus.node import Node
from bus.shell import Shell
from crypto.sealing import NoKeys
from crypto.signing import Signer
from crypto.trust import Trust
from schemas.events import Actor
from schemas.names import Role
from sidecar.supervision.decider import SupervisorDecider, WatcherState


class Answering(Client):
    """Answers every request with `error`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    async def request(self, *arguments: object, **more: object) -> Msg:  # type: ignore[override]
        raise self._error


def shell(client: Client) -> Shell:
    signer = Signer.from_seed(b"s" * 32)
    node: Node[WatcherState] = Node(
        SupervisorDecider(),
        trust=Trust("acme", signer.public),
        signer=signer,
        actor=Actor(Role.SUPERVISOR, "supervisor"),
        keys=NoKeys(),
    )

    async def perform(effect: object) -> object:
        raise AssertionError(f"there is nothing to perform: {effect}")

    return Shell(node, client, perform, consumer="supervisor")


async def test_a_reader_that_was_cancelled_from_within_ends_the_shell() -> None:
    with pytest.raises(BusError, match="given up from within"):
        async with asyncio.timeout(5):
            await shell(Answering(asyncio.CancelledError())).run()


async def test_a_connection_that_is_closed_for_good_ends_the_shell_with_the_buss_own_error() -> (
    None
):
    with pytest.raises(StreamUnavailable, match="no answer on"):
        async with asyncio.timeout(5):
            await shell(Answering(ConnectionClosedError())).run()


async def test_who_cancels_the_shell_is_not_told_of_a_failure() -> None:
    class Silent(Client):
        """Never answers."""

        asked = asyncio.Event()

        async def request(self, *arguments: object, **more: object) -> Msg:  # type: ignore[override]
            self.asked.set()
            return await asyncio.Event().wait()  # type: ignore[return-value]

    client = Silent()
    running = asyncio.ensure_future(shell(client).run())
    await client.asked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
