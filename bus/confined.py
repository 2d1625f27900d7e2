"""A run's process, runtime or judge: confined, then trusted with its secrets, then at work.

The order is the point. The process confines itself and says how far that went; it is given
the run's secrets; it connects to the bus once and gives up connecting; only then is the
first byte of content read. Losing the bus ends it, and the orchestrator starts another.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import uvloop

from bus.arguments import Arguments, be_listed_as, own_arguments
from bus.boot import RunBoot, encode_line, read_boot, read_cell
from bus.client import Client
from bus.component import log_problem, recorded, say_ready, until_orphaned
from bus.confinement import confine, cut_off
from bus.connection import disconnect
from bus.decider import Decider, Effect
from bus.errors import BusError, ConnectionRefused
from bus.lifeline import stdin_reader
from bus.node import Node
from bus.roles import run_subject
from bus.shell import Feed, Shell
from crypto.trust import Trust
from schemas.confinement import Confinement
from schemas.events import Actor

Work = Callable[[RunBoot, Client], Awaitable[None]]


def serve_run(work: Work) -> int:
    """Do `work` for the run on standard input until the parent is gone; the exit code."""

    def confined() -> None:
        listed = own_arguments()
        confinement = confine(read_cell(sys.stdin.fileno()))
        sys.stdout.buffer.write(encode_line(confinement))
        sys.stdout.buffer.flush()
        uvloop.run(_serve(work, confinement, listed))

    return recorded(confined)


class Outside(Protocol):
    """What a run's process hears beside the ledger, and its only effects."""

    async def perform(self, effect: Effect) -> object:
        """Do one effect of the decider."""
        ...

    async def run(self, feed: Feed) -> None:
        """Hand in what comes from outside, until cancelled."""
        ...


async def run_decider(
    boot: RunBoot, client: Client, decider: Decider[Any], outside: Outside | None = None
) -> None:
    """Run `decider` for the run of `boot` until something fails."""
    node: Node[Any] = Node(
        decider,
        trust=Trust(boot.workspace, boot.root),
        signer=boot.signer(),
        actor=Actor(boot.role, boot.instance),
        keys=boot.keys(),
        whole=False,
    )
    node.prime(boot.admin)
    shell = Shell(
        node,
        client,
        outside.perform if outside is not None else _no_effects,
        consumer=boot.user_public,
        filter_subject=run_subject(boot.workspace, boot.run),
        on_ready=say_ready,
    )
    tasks = [asyncio.ensure_future(shell.run())]
    if outside is not None:
        tasks.append(asyncio.ensure_future(outside.run(shell.feed)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(work: Work, confinement: Confinement, listed: Arguments) -> None:
    reader = await stdin_reader()
    boot = await read_boot(reader)
    be_listed_as(sys.orig_argv, listed)
    await until_orphaned(reader, _connected(boot, work, confinement))


async def _connected(boot: RunBoot, work: Work, confinement: Confinement) -> None:
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_problem(problem: BusError) -> None:
        if not isinstance(problem, ConnectionRefused):
            log_problem(problem)
        elif not lost.done():
            lost.set_exception(problem)

    client = await boot.connect(on_problem)
    cut_off(confinement)
    working = asyncio.ensure_future(work(boot, client))
    try:
        await asyncio.wait((working, lost), return_when=asyncio.FIRST_COMPLETED)
        await (lost if lost.done() else working)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        # Its own end is no loss.
        lost.cancel()
        await disconnect(client)


async def _no_effects(effect: Effect) -> object:
    raise TypeError(f"a run's process has no effects, not {effect.key}")
