"""`python -m agents orchestrator --data FOLDER` and `python -m agents runtime`.

The orchestrator is a standing component; a runtime is started by it, once for each run.
"""

import argparse
import socket
import sys
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from agents.orchestration import OrchestratorState
from agents.orchestrator import OrchestratorDecider
from agents.planners.model import ModelPlanner
from agents.planners.planner import Planner
from agents.planners.scripted import Plan, ScriptedPlanner
from agents.processes import COMMANDS, AgentProgram, Commands, Processes
from agents.runtime import RuntimeDecider
from agents.serving.decider import ServingDecider
from agents.serving.endpoint import Endpoint
from bus.boot import RunBoot
from bus.client import Client
from bus.component import (
    Starting,
    connect_as,
    event_signer,
    run_process,
    together,
    until_orphaned,
)
from bus.confined import run_decider, serve_run
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from bus.node import Node
from bus.outbox import Outbox
from bus.ownership import as_owner
from bus.shell import Shell
from bus.snapshot import folded_of
from crypto.keyfile import read_key
from crypto.sealing import NoKeys
from crypto.trust import Trust
from ledger.pruning import prune
from ledger.restart import restart
from ledger.snapshots import Snapshots
from ledger.taking import Taking
from schemas.events import Actor
from schemas.names import Role

REST_S: Final = 0.01
"""How long entries may gather (s) while the orchestrator has nothing of its own on its way."""


async def orchestrate(folder: DataFolder, commands: Commands = COMMANDS) -> None:
    """Grant leases and mind runs until the parent is gone.

    `commands` are the modules of a run's processes, with their arguments.
    """
    work = partial(_orchestrate, folder, commands)
    await until_orphaned(await stdin_reader(), as_owner(folder.ownership("orchestrator"), work))


async def _orchestrate(folder: DataFolder, commands: Commands) -> None:
    settings = folder.settings()
    node: Node[OrchestratorState] = Node(
        OrchestratorDecider(),
        trust=Trust(settings.workspace, folder.root_public()),
        signer=event_signer(folder, Role.ORCHESTRATOR),
        actor=Actor(Role.ORCHESTRATOR, "orchestrator"),
        keys=NoKeys(),
    )
    processes = Processes(folder, settings, commands)
    client = await connect_as(folder, Role.ORCHESTRATOR)
    outbox = Outbox(folder.root / "outbox" / "orchestrator")
    snapshots = Snapshots(
        folder.snapshot("orchestrator"),
        read_key(folder.identity(Role.ORCHESTRATOR) / "snapshot.key"),
        settings.workspace,
        "orchestrator",
        ("agents",),
    )
    start = await restart(client, snapshots, node)
    if start is not None:
        processes.resume(start.held)
    taking = Taking(
        node,
        partial(folded_of, node),
        snapshots,
        start,
        held=processes.held,
        every=settings.bus.snapshot_every,
    )

    starting = Starting()

    def observe(index: int, subject: str, body: bytes) -> None:
        taking.observe(index, subject, body)
        processes.observe(index, subject, body)

    def ready() -> None:
        taking.caught_up()
        starting.ready()

    shell = Shell(
        node,
        client,
        processes.perform,
        consumer="orchestrator",
        outbox=outbox,
        observe=starting.reading(observe),
        on_ready=ready,
        rest_s=REST_S,
    )
    pruning = prune(
        client,
        node.trust,
        outbox,
        component="orchestrator",
        taking=taking,
        after=start.place - 1 if start is not None else 0,
    )
    try:
        await together(shell.run(), pruning)
    finally:
        await processes.end_all()
        await disconnect(client)


async def play(boot: RunBoot, client: Client) -> None:
    """Propose for a run, as planned or called."""
    agent = msgspec.json.decode(boot.plan, type=AgentProgram)
    if agent.planner == "mcp":
        endpoint = Endpoint(boot.run, socket.socket(fileno=agent.socket))
        await run_decider(boot, client, ServingDecider(boot.run, boot.instance), endpoint)
        return
    decider = RuntimeDecider(boot.run, boot.instance, _planner(agent))
    await run_decider(boot, client, decider)


def _planner(agent: AgentProgram) -> Planner:
    if agent.planner == "model":
        return ModelPlanner(agent.instructions)
    return ScriptedPlanner(msgspec.json.decode(agent.plan, type=Plan))


def main() -> int:
    """Pick the component and run it; the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m agents")
    parser.add_argument("component", choices=["orchestrator", "runtime"])
    parser.add_argument("--data", type=Path, help="the data folder (orchestrator)")
    options = parser.parse_args()
    if options.component == "runtime":
        return serve_run(play)
    if options.data is None:
        parser.error("orchestrator needs --data FOLDER")
    return run_process(orchestrate(DataFolder(options.data)))


if __name__ == "__main__":
    sys.exit(main())
