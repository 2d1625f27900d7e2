"""AnyTeam for agents in Python: a run's tools as awaitable calls, each through the gate.

    async with anyteam.run("outside", "close the Boeing deal", tools=["crm.update_deal"],
                           effects=["mutation"]) as tools:
        done = await tools.call("crm.update_deal", {"id": "deal-1", "fields": {...}})

The program becomes the run's runtime: it proposes, and holds no credential. It needs an
installation that is up, and an agent with `planner = "mcp"` in its settings.

`anyteam.connect` is the other side: the HTTP API, for who watches, approves and stops.
"""

from anyteam.client import Client, connect
from anyteam.errors import (
    CallFailed,
    CallHeld,
    CallRefused,
    OutcomeUnknown,
    Refused,
    RunNotStarted,
    Unreachable,
)
from anyteam.running import Done, Tools, run

__all__ = [
    "CallFailed",
    "CallHeld",
    "CallRefused",
    "Client",
    "Done",
    "OutcomeUnknown",
    "Refused",
    "RunNotStarted",
    "Tools",
    "Unreachable",
    "connect",
    "run",
]
