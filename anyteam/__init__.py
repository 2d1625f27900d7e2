"""AnyTeam for agents in Python: a run's tools as awaitable calls, each through the gate.

    async with anyteam.run("outside", "close the Boeing deal", tools=["crm.update_deal"],
                           effects=["mutation"]) as tools:
        done = await tools.call("crm.update_deal", {"id": "deal-1", "fields": {...}})

The program becomes the run's runtime: it proposes, and holds no credential. It needs an
installation that is up, and an agent with `planner = "mcp"` in its settings.
"""

from anyteam.errors import CallFailed, CallHeld, CallRefused, OutcomeUnknown, RunNotStarted
from anyteam.running import Done, Tools, run

__all__ = [
    "CallFailed",
    "CallHeld",
    "CallRefused",
    "Done",
    "OutcomeUnknown",
    "RunNotStarted",
    "Tools",
    "run",
]
