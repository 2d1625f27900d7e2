"""The hijacked runtime: started as any other, and then somebody else's program.

It is on the command line of the processes that `tests.escape.orchestrator` starts, so the
walls around it are those that production builds. A plan whose first purpose is a field makes
it try everything; then, and without a field, it plays its plan as the real one does.
"""

import sys

import msgspec

from agents.planners.scripted import Plan, ScriptedPlanner
from agents.processes import AgentProgram
from agents.runtime import RuntimeDecider
from bus.boot import RunBoot
from bus.client import Client
from bus.component import say_ready
from bus.confined import run_decider, serve_run
from tests.escape import bus, files, itself, machine, network, others  # noqa: F401 - they list
from tests.escape.attempts import ATTEMPTS, Hands, Outcome, made
from tests.escape.field import Field

MARK = "escape: "


async def hijacked(boot: RunBoot, client: Client) -> None:
    """Try everything, say what came of it on standard error, and go on as if nothing were."""
    program = msgspec.json.decode(boot.plan, type=AgentProgram)
    plan = msgspec.json.decode(program.plan, type=Plan)
    try:
        field = msgspec.json.decode(plan.steps[0].purpose, type=Field)
    except msgspec.DecodeError:
        pass
    else:
        plan = msgspec.structs.replace(plan, steps=plan.steps[1:])
        field = msgspec.structs.replace(field, run=boot.run)
        # The orchestrator takes it for a runtime that is up.
        say_ready()
        await made(ATTEMPTS.values(), Hands(field, boot, client), tell)
    decider = RuntimeDecider(boot.run, boot.instance, ScriptedPlanner(plan))
    await run_decider(boot, client, decider)


def tell(outcome: Outcome) -> None:
    """One line of the run's log."""
    print(MARK + msgspec.json.encode(outcome).decode(), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(serve_run(hijacked))
