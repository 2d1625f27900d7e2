"""What the tests of single layers start from: a workspace of three tools, and what a run read."""

from typing import Any

from schemas.leases import Intent
from schemas.names import Classification
from schemas.tools import Effect, Policy, Reach, Tool, Trust
from sidecar.gate.knowledge import Knowledge, observe
from sidecar.gate.outcome import Case
from sidecar.gate.wish import Wish, read
from tests.cases import LEASE, POLICY, SEND, changed, good_case, proposal

UPDATE = Tool(
    name="crm.update_deal",
    summary="update a deal",
    arguments={"type": "object"},
    effect=Effect.MUTATION,
    objects=("record",),
    contents=("text",),
)
PAY = Tool(
    name="bank.pay",
    summary="pay an invoice",
    arguments={"type": "object"},
    effect=Effect.PAYMENT,
    destinations=("account",),
    amounts=("amount",),
)
LOOK = Tool(
    name="crm.find_deals",
    summary="find deals",
    arguments={"type": "object"},
    effect=Effect.READ,
    objects=("record",),
)
FETCH = Tool(
    name="web.fetch",
    summary="fetch a page",
    arguments={"type": "object"},
    effect=Effect.READ,
    destinations=("url",),
    reach=Reach.OUTSIDE,
)
MAIL = changed(SEND, contents=("text",), arguments={"type": "object"})
ERASE = changed(UPDATE, name="crm.delete_deal", summary="delete a deal")
TOOLS = (MAIL, UPDATE, PAY, LOOK, FETCH, ERASE)
WORKSPACE: Policy = changed(POLICY, tools=TOOLS)


def wish(summary: str, **bounds: Any) -> Wish:
    """What a rep asked for, read."""
    return read(Intent(summary=summary, **bounds))


def case(
    tool: Tool,
    arguments: dict[str, Any],
    *,
    summary: str = "follow up",
    bounds: dict[str, Any] | None = None,
    policy: Policy = WORKSPACE,
    **changes: Any,
) -> Case:
    """A proposal of `arguments` for `tool`, in a run that was asked for with `summary`."""
    intent = Intent(summary=summary, **(bounds or {}))
    return good_case(
        tool=tool,
        arguments=arguments,
        proposal=proposal(arguments, tool=tool.name),
        policy=policy,
        lease=changed(LEASE, intent=intent, tools=(tool.name,)),
        **changes,
    )


def knows(
    content: object,
    asked: Wish,
    known: Knowledge | None = None,
    *,
    trust: Trust = Trust.UNTRUSTED,
    unbidden: bool = False,
    pointed: bool = False,
    sensitivity: Classification = Classification.CONFIDENTIAL,
    tool: Tool | None = None,
    echoed: str = "",
) -> Knowledge:
    """After the run was given `content` to read."""
    return observe(
        known or Knowledge(),
        asked,
        content,
        tool=tool,
        pointed=pointed,
        named=False,
        unbidden=unbidden,
        trust=trust,
        sensitivity=sensitivity,
        echoed=echoed,
    )
