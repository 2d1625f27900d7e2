"""A good case for the gate, and good events around it; tests change one thing at a time."""

from typing import Any

import msgspec

from bus.decider import Recorded
from schemas.actions import ProposalMade, Verdict, VerdictGiven
from schemas.content import plain
from schemas.events import Actor, AnyBody, Event
from schemas.leases import Certificate, Intent, Lease
from schemas.names import NO_DIGEST, SECOND, Classification, Role
from schemas.runs import RunRequested
from schemas.tools import Effect, Policy, Tool
from sidecar.gate.outcome import Case

NOW = 1_790_000_000 * SECOND
RUN = "r-1"
REQUEST_DIGEST, PROPOSAL_DIGEST = b"q" * 32, b"p" * 32

SEND = Tool(
    name="mail.send",
    summary="send a mail",
    arguments={
        "type": "object",
        "properties": {
            "to": {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 5},
            "path": {"type": "string"},
            "text": {"type": "string"},
        },
        "required": ["to"],
        "additionalProperties": False,
    },
    effect=Effect.COMMUNICATION,
    destinations=("to",),
    paths=("path",),
)
POLICY = Policy(
    version=1,
    tools=(SEND,),
    organisation=("acme.example",),
    agents=("follow-up",),
    max_ttl_s=600,
    max_actions=10,
)
INTENT = Intent(
    summary="follow up", effects=(Effect.COMMUNICATION,), destinations=("jane@boeing.example",)
)
REQUEST = RunRequested(
    rep="ann", agent="follow-up", intent=INTENT, tools=("mail.send",), ttl_s=300, max_actions=5
)
RUNTIME_KEY = Certificate(
    key_id=b"k" * 16,
    public_key=b"K" * 32,
    role=Role.RUNTIME,
    instance="runtime-1",
    not_before=NOW - 60 * SECOND,
    not_after=NOW + 200 * SECOND,
    run=RUN,
)
LEASE = Lease(
    run=RUN,
    rep="ann",
    agent="follow-up",
    request=REQUEST_DIGEST,
    intent=INTENT,
    tools=("mail.send",),
    policy=1,
    not_before=NOW - 60 * SECOND,
    not_after=NOW + 200 * SECOND,
    max_actions=5,
    attempt=1,
    keys=(RUNTIME_KEY,),
)
ARGUMENTS: dict[str, Any] = {"to": ["jane@boeing.example"], "text": "hello"}


def recorded(
    body: AnyBody, digest: bytes, role: Role, instance: str, *, index: int = 5, at: int = NOW
) -> Recorded:
    """An event as a decider sees it. Its signature is not what these tests are about."""
    event = Event(
        id="019a0000-0000-7000-8000-000000000000",
        workspace="acme",
        run=RUN,
        actor=Actor(role, instance),
        n=0,
        prev=NO_DIGEST,
        causes=(),
        seen=0,
        at=at,
        classification=Classification.INTERNAL,
        body=body,
    )
    return Recorded(index, digest, event, event)


def proposal(arguments: object = None, *, tool: str = "mail.send", number: int = 1) -> ProposalMade:
    """A proposal in the clear."""
    given = ARGUMENTS if arguments is None else arguments
    return ProposalMade(number=number, tool=tool, arguments=plain(given), purpose=plain("as asked"))


def verdict(kind: Verdict = Verdict.APPROVE, digest: bytes = PROPOSAL_DIGEST) -> Recorded:
    """A verdict on the case's proposal."""
    body = VerdictGiven(proposal=digest, verdict=kind, reason="because", question="really?")
    return recorded(body, b"v" * 32, Role.JUDGE, "judge-1")


def good_case(**changes: Any) -> Case:
    """A case that every layer passes, with `changes`."""
    made = proposal()
    case = Case(
        now=NOW,
        recorded=recorded(made, PROPOSAL_DIGEST, Role.RUNTIME, "runtime-1"),
        proposal=made,
        arguments=ARGUMENTS,
        policy=POLICY,
        lease=LEASE,
        request=recorded(REQUEST, REQUEST_DIGEST, Role.REP, "ann"),
        rep_active=True,
        lease_key=RUNTIME_KEY,
        tool=SEND,
        verdict=verdict(),
    )
    return msgspec.structs.replace(case, **changes)


def changed(struct: Any, **changes: Any) -> Any:
    """A copy with one thing changed."""
    return msgspec.structs.replace(struct, **changes)
