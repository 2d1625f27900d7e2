"""`python -m agents orchestrator --data FOLDER` and `python -m agents runtime`.

The orchestrator is a standing component; a runtime is started by it, once for each run.
"""

import argparse
import asyncio
import socket
import sys
from pathlib import Path

import msgspec

from agents.orchestration import OrchestratorState
from agents.orchestrator import OrchestratorDecider
from agents.planners.model import ModelPlanner
from agents.planners.planner import Planner
from agents.planners.scripted import Plan, ScriptedPlanner
from agents.processes import AgentProgram, Processes
from agents.runtime import RuntimeDecider
from agents.serving.decider import ServingDecider
from agents.serving.endpoint import Endpoint
from bus.component import (
    connect_as,
    event_signer,
    read_boot,
    run_decider,
    run_process,
    say_ready,
    until_orphaned,
)
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from bus.node import Node
from bus.outbox import Outbox
from bus.shell import Shell
from crypto.sealing import NoKeys
from crypto.trust import Trust
from ledger.pruning import prune
from schemas.events import Actor
from schemas.names import Role


async def orchestrate(folder: DataFolder) -> None:
    """Grant leases and mind runs until the parent is gone."""
    await until_orphaned(await stdin_reader(), _orchestrate(folder))


async def _orchestrate(folder: DataFolder) -> None:
    settings = folder.settings()
    node: Node[OrchestratorState] = Node(
        OrchestratorDecider(),
        trust=Trust(settings.workspace, folder.root_public()),
        signer=event_signer(folder, Role.ORCHESTRATOR),
        actor=Actor(Role.ORCHESTRATOR, "orchestrator"),
        keys=NoKeys(),
    )
    processes = Processes(folder, settings)
    client = await connect_as(folder, Role.ORCHESTRATOR)
    outbox = Outbox(folder.root / "outbox" / "orchestrator")
    shell = Shell(
        node,
        client,
        processes.perform,
        consumer="orchestrator",
        outbox=outbox,
        observe=processes.observe,
        on_ready=say_ready,
    )
    pruning = asyncio.ensure_future(prune(client, node.trust, outbox, component="orchestrator"))
    try:
        await shell.run()
    finally:
        pruning.cancel()
        await asyncio.gather(pruning, return_exceptions=True)
        await processes.end_all()
        await disconnect(client)


async def run_agent() -> None:
    """Propose for the run on standard input, as planned or called, until the parent is gone."""
    reader = await stdin_reader()
    boot = await read_boot(reader)
    agent = msgspec.json.decode(boot.plan, type=AgentProgram)
    if agent.planner == "mcp":
        endpoint = Endpoint(boot.run, socket.socket(fileno=agent.socket))
        served = run_decider(boot, ServingDecider(boot.run, boot.instance), endpoint)
        await until_orphaned(reader, served)
        return
    decider = RuntimeDecider(boot.run, boot.instance, _planner(agent))
    await until_orphaned(reader, run_decider(boot, decider))


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
        return run_process(run_agent())
    if options.data is None:
        parser.error("orchestrator needs --data FOLDER")
    return run_process(orchestrate(DataFolder(options.data)))


if __name__ == "__main__":
    sys.exit(main())
