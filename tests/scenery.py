"""What every told workspace starts from: its clock, holders of keys, policy and request."""

from typing import Final

from schemas.leases import Intent
from schemas.names import SECOND, Role
from schemas.runs import RunRequested
from schemas.tools import Effect, Policy, Tool
from schemas.tools import Trust as SourceTrust

START: Final = 1_780_000_000 * SECOND
STEP: Final = SECOND // 10
STANDING: Final = (
    (Role.ORCHESTRATOR, "orchestrator"),
    (Role.SIDECAR, "sidecar"),
    (Role.SIDECAR, "sealer"),
    (Role.SIDECAR, "receipts"),
    (Role.REP, "ann"),
    (Role.ADMIN, "ada"),
)
ARGUMENTS: Final = {"record": "deal-1", "text": "stage 2"}


def _tool(name: str, effect: Effect) -> Tool:
    return Tool(
        name=name,
        summary=name,
        arguments={"type": "object"},
        effect=effect,
        objects=("record",),
        trust=SourceTrust.TRUSTED,
    )


POLICY: Final = Policy(
    version=1,
    tools=(_tool("crm.update", Effect.MUTATION), _tool("pay", Effect.PAYMENT)),
    organisation=("acme.example",),
)
REQUEST: Final = RunRequested(
    rep="ann",
    agent="follow-up",
    intent=Intent(summary="move deal 1 on", effects=(Effect.MUTATION,), objects=("deal-1",)),
    tools=("crm.update", "pay"),
    ttl_s=600,
    max_actions=5,
)
