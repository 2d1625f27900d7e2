"""`python -m judge`: the judge's process for one run, started by the orchestrator."""

import sys

from bus.component import RunBoot, read_boot, run_process, say_ready, until_orphaned
from bus.connection import disconnect
from bus.decider import Effect
from bus.lifeline import stdin_reader
from bus.node import Node
from bus.roles import run_subject
from bus.shell import Shell
from crypto.trust import Trust
from judge.decider import JudgeDecider, JudgeState
from schemas.events import Actor


async def serve() -> None:
    """Judge the proposals of the run on standard input until the parent is gone."""
    reader = await stdin_reader()
    boot = await read_boot(reader)
    await until_orphaned(reader, _judge(boot))


async def _judge(boot: RunBoot) -> None:
    node: Node[JudgeState] = Node(
        JudgeDecider(boot.run, boot.instance),
        trust=Trust(boot.workspace, boot.root),
        signer=boot.signer(),
        actor=Actor(boot.role, boot.instance),
        keys=boot.keys(),
        whole=False,
    )
    node.prime(boot.admin)
    client = await boot.connect()
    shell = Shell(
        node,
        client,
        _perform,
        consumer=boot.user_public,
        filter_subject=run_subject(boot.workspace, boot.run),
        on_ready=say_ready,
    )
    try:
        await shell.run()
    finally:
        await disconnect(client)


async def _perform(effect: Effect) -> object:
    raise TypeError(f"a judge has no effects, not {effect.key}")


if __name__ == "__main__":
    sys.exit(run_process(serve()))
