"""The cast of a simulated workspace: keys, genesis, policy, requests. All from the seed."""

import functools
import random

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace

from bus.commands import Publish
from crypto.signing import Signer, key_id_of, verify
from crypto.trust import FOREVER, Trust
from schemas.authority import subject_of
from schemas.compensation import Compensation
from schemas.envelope import encode_envelope
from schemas.events import Actor, AnyBody, Event, encode_event, event_digest
from schemas.leases import Certificate, Intent, Unanswered
from schemas.names import NO_DIGEST, SECOND, Classification, Role
from schemas.runs import (
    KeyCertified,
    PolicySet,
    RepActivated,
    RunRequested,
    WorkspaceCreated,
)
from schemas.tools import Effect, Policy, Tool
from schemas.tools import Trust as SourceTrust

WORKSPACE = "acme"
START = 1_780_000_000 * SECOND


@functools.lru_cache(maxsize=200_000)
def _verified(public: bytes, kind: str, payload: bytes, signature: bytes) -> None:
    verify(public, kind, payload, signature)


def check(public: bytes, kind: str, payload: bytes, signature: bytes) -> None:
    """`crypto.signing.verify`, done once for the same bytes: every node reads every entry."""
    _verified(public, kind, payload, signature)


class Author:
    """Someone outside the simulation who signs events: the root, a rep, an admin."""

    def __init__(self, role: Role, instance: str, random: random.Random) -> None:
        self.actor = Actor(role, instance)
        self.signer = Signer.from_seed(random.randbytes(32))
        self._random = random
        self._heads: dict[str | None, tuple[int, bytes]] = {}

    def say(self, body: AnyBody, run: str | None, at: int, *, version: int = 1) -> Publish:
        """The next event of this author's chain, which says that it is of `version`."""
        n, prev = self._heads.get(run, (0, NO_DIGEST))
        head = f"{at // 1_000_000:012x}"
        tail = self._random.randbytes(9).hex()
        event = Event(
            id=f"{head[:8]}-{head[8:]}-7{tail[:3]}-8{tail[3:6]}-{tail[6:18]}",
            workspace=WORKSPACE,
            run=run,
            actor=self.actor,
            n=n,
            prev=prev,
            causes=(),
            seen=0,
            at=at,
            classification=Classification.INTERNAL,
            body=body,
        )
        payload = encode_event(msgspec.structs.replace(event, v=version))
        self._heads[run] = (n + 1, event_digest(payload))
        message = encode_envelope(self.signer.envelope(payload))
        return Publish(event.id, event.id, subject_of(event), message, None)

    def certificate(self) -> Certificate:
        """What the root certifies of this author."""
        return Certificate(
            key_id=self.signer.key_id,
            public_key=self.signer.public,
            role=self.actor.role,
            instance=self.actor.instance,
            not_before=0,
            not_after=FOREVER,
        )


class RunIdentity:
    """The keys of one attempt's runtime or judge."""

    def __init__(self, role: Role, run: str, attempt: int, random: random.Random) -> None:
        self.actor = Actor(role, f"{run}-{role.value}-{attempt}")
        self.signer = Signer.from_seed(random.randbytes(32))
        self.exchange = X25519PrivateKey.from_private_bytes(random.randbytes(32))

    def certificate(self, run: str, not_before: int, not_after: int) -> Certificate:
        """What the lease certifies."""
        return Certificate(
            key_id=key_id_of(self.signer.public),
            public_key=self.signer.public,
            role=self.actor.role,
            instance=self.actor.instance,
            not_before=not_before,
            not_after=not_after,
            run=run,
            exchange=self.exchange.public_key().public_bytes_raw(),
        )


def trust(root: Author) -> Trust:
    """A fresh reader's trust."""
    return Trust(WORKSPACE, root.signer.public, check=check)


def tool(
    name: str, effect: Effect, undo: Compensation | None = None, **parts: tuple[str, ...]
) -> Tool:
    """A declared tool whose arguments are strings or lists of strings."""
    return Tool(
        name=name,
        summary=name,
        arguments={
            "type": "object",
            "properties": {
                "to": {"type": "array", "items": {"type": "string"}},
                "record": {"type": "string"},
                "text": {"type": "string"},
            },
            "additionalProperties": False,
        },
        effect=effect,
        trust=SourceTrust.TRUSTED,
        compensation=undo,
        **parts,  # type: ignore[arg-type]
    )


RESTORE = Compensation(
    tool="crm.restore", arguments={"record": "/arguments/record", "text": "/result/echo/text"}
)

POLICY = Policy(
    version=1,
    tools=(
        tool("crm.read", Effect.READ),
        tool("crm.update", Effect.MUTATION, RESTORE, objects=("record",)),
        tool("crm.restore", Effect.MUTATION, objects=("record",)),
        tool("mail.send", Effect.COMMUNICATION, destinations=("to",), contents=("text",)),
        tool("pay", Effect.PAYMENT, objects=("record",)),
    ),
    organisation=("acme.example",),
    max_ttl_s=30,
    max_actions=50,
    skew_s=60,
    verdict_s=5,
    approval_s=4,
    park_s=1,
    four_eyes=(Effect.PAYMENT,),
)

REQUEST = RunRequested(
    rep="ann",
    agent="follow-up",
    intent=Intent(
        summary="follow up with Boeing",
        effects=(Effect.MUTATION, Effect.COMMUNICATION, Effect.PAYMENT),
        destinations=("jane@boeing.example",),
        objects=("deal-1",),
    ),
    tools=("crm.read", "crm.update", "crm.restore", "mail.send", "pay"),
    ttl_s=20,
    max_actions=40,
)


TOGETHER = replace(REQUEST, intent=replace(REQUEST.intent, together=True))

STOPS = replace(REQUEST, intent=replace(REQUEST.intent, unanswered=Unanswered.STOP))

WISHES = (REQUEST, REQUEST, TOGETHER, TOGETHER, STOPS)


def genesis(root: Author, people: list[Author]) -> list[Publish]:
    """The workspace's first events."""
    bodies: list[AnyBody] = [WorkspaceCreated(name=WORKSPACE, root=root.signer.public)]
    bodies += [KeyCertified(certificate=person.certificate()) for person in people]
    bodies += [PolicySet(policy=POLICY), RepActivated(rep="ann")]
    return [root.say(body, None, START) for body in bodies]
