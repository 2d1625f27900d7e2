"""Who may say what, and where: the one table behind subjects, permissions and trust.

Each event type has one topic and the roles that may sign it. Each topic has exactly one
kind of writer, so that a role's bus permission is a list of topics. The subject of an
event follows from fields inside its signed payload; an event found elsewhere is refused.
"""

from typing import Final, get_args

from schemas.errors import SchemaError
from schemas.events import AnyBody, Event, tag_of
from schemas.names import Role

ROOT_ONLY: Final = (Role.ROOT,)
PEOPLE: Final = (Role.REP, Role.ADMIN)

CAPTURE: Final = "capture"
"""The topic of what a device says, which has a subject for each device and belongs to no run."""

WITNESS: Final = "witness"
"""The topic of what became of asking witnesses."""

AUTHORITY: Final[dict[str, tuple[str, tuple[Role, ...]]]] = {
    "workspace.created": ("key", ROOT_ONLY),
    "key.certified": ("key", ROOT_ONLY),
    "key.revoked": ("key", ROOT_ONLY),
    "policy.set": ("key", ROOT_ONLY),
    "epoch.opened": ("epoch", ROOT_ONLY),
    "rep.activated": ("key", ROOT_ONLY),
    "rep.revoked": ("key", ROOT_ONLY),
    "run.requested": ("request", (Role.REP,)),
    "run.refused": ("run", (Role.ORCHESTRATOR,)),
    "run.started": ("run", (Role.ORCHESTRATOR,)),
    "run.parked": ("run", (Role.ORCHESTRATOR,)),
    "run.completed": ("run", (Role.ORCHESTRATOR,)),
    "run.halted": ("run", (Role.ORCHESTRATOR,)),
    "lease.granted": ("lease", (Role.ORCHESTRATOR,)),
    "lease.renewed": ("lease", (Role.ORCHESTRATOR,)),
    "lease.revoked": ("lease", (Role.ORCHESTRATOR,)),
    "lease.expired": ("lease", (Role.ORCHESTRATOR,)),
    "plan.finished": ("proposal", (Role.RUNTIME,)),
    "proposal.made": ("proposal", (Role.RUNTIME,)),
    "model.requested": ("proposal", (Role.RUNTIME,)),
    "observation.recorded": ("outcome", (Role.SIDECAR,)),
    "review.requested": ("verdict", (Role.JUDGE,)),
    "verdict.given": ("verdict", (Role.JUDGE,)),
    "approval.requested": ("approval", (Role.SIDECAR,)),
    "approval.decided": ("decision", PEOPLE),
    "content_key.wrapped": ("outcome", (Role.SIDECAR,)),
    "action.started": ("action", (Role.SIDECAR,)),
    "action.refused": ("action", (Role.SIDECAR,)),
    "action.finished": ("outcome", (Role.SIDECAR,)),
    "receipt.issued": ("receipt", (Role.SIDECAR,)),
    "model.called": ("outcome", (Role.SIDECAR,)),
    "entry.rejected": ("notice", (Role.SIDECAR,)),
    "supervisor.flagged": ("supervision", (Role.SUPERVISOR,)),
    "halt.engaged": ("halt", PEOPLE),
    "halt.released": ("halt", (Role.ADMIN,)),
    "memory.retained": ("outcome", (Role.SIDECAR,)),
    "memory.forgotten": ("outcome", (Role.SIDECAR,)),
    "memory.withdrawn": ("withdrawal", (Role.ADMIN,)),
    "content.erased": ("erasure", (Role.ADMIN,)),
    "destination.allowed": ("destination", (Role.SIDECAR,)),
    "destination.revalidated": ("destination", (Role.SIDECAR,)),
    "destination.unverified": ("destination", (Role.SIDECAR,)),
    "destination.blocked": ("destination", (Role.SIDECAR,)),
    "destination.expired": ("destination", (Role.SIDECAR,)),
    "destination.readmitted": ("readmission", (Role.ADMIN,)),
    "access.granted": ("access", (Role.ADMIN,)),
    "access.revoked": ("access", (Role.ADMIN,)),
    "token.issued": ("access", (Role.ADMIN,)),
    "token.revoked": ("access", (Role.ADMIN,)),
    "passkey.enrolled": ("passkey", PEOPLE),
    "passkey.admitted": ("access", (Role.ADMIN,)),
    "passkey.revoked": ("access", (Role.ADMIN,)),
    "session.opened": ("session", (Role.CONSOLE,)),
    "session.closed": ("session", (Role.CONSOLE,)),
    "sign_in.locked": ("session", (Role.CONSOLE,)),
    "capture.started": (CAPTURE, (Role.DEVICE,)),
    "capture.paused": (CAPTURE, (Role.DEVICE,)),
    "capture.resumed": (CAPTURE, (Role.DEVICE,)),
    "capture.stopped": (CAPTURE, (Role.DEVICE,)),
    "transcript.synced": (CAPTURE, (Role.DEVICE,)),
    "witness.cosigned": (WITNESS, (Role.FEEDER,)),
    "witness.refused": (WITNESS, (Role.FEEDER,)),
}
"""Event type -> (topic, roles that may sign it)."""

_OF_BODY: Final = {
    kind: AUTHORITY[tag_of(kind)] for kind in get_args(AnyBody) if tag_of(kind) in AUTHORITY
}
"""The same by the class of the body: it is asked of every event."""

EVENTLESS: Final = ("sealer", "receipts")
"""Sidecar instances whose keys sign seals and receipts, and no event."""

FENCED: Final = ("action", "lease")
"""Topics with a single writer, kept so by JetStream's expected last sequence."""


def subject_of(event: Event) -> str:
    """The only subject this event may be found on."""
    topic = _OF_BODY[type(event.body)][0]
    if topic == CAPTURE and event.run is None:
        return capture_subject(event.workspace, event.actor.instance)
    return subject(event.workspace, event.run, topic)


def subject(workspace: str, run: str | None, topic: str) -> str:
    """`ws.<workspace>.run.<run>.<topic>`, or `ws.<workspace>.admin.<topic>` for no run."""
    if run is None:
        return f"ws.{workspace}.admin.{topic}"
    return f"ws.{workspace}.run.{run}.{topic}"


def of_the_workspace(workspace: str) -> tuple[str, ...]:
    """The subjects of what is said in no run: whose keys count, policy, access, halts.

    Each by itself, and no `>`: with one, nats-server looks through the whole of a stream that has
    more than 65,536 subjects for the next one that it fits.
    """
    topics = sorted({topic for topic, _ in AUTHORITY.values()} - {CAPTURE})
    return tuple(subject(workspace, None, topic) for topic in topics)


def capture_subject(workspace: str, device: str) -> str:
    """Where one device writes, and nobody else."""
    return f"ws.{workspace}.{CAPTURE}.{device}"


def fence_of(workspace: str, topic: str) -> str | None:
    """The subject filter whose last sequence fences `topic`, or None for unfenced topics."""
    return f"ws.{workspace}.run.*.{topic}" if topic in FENCED else None


def may_sign(role: Role, event_type: str) -> bool:
    """Whether `role` may sign events of `event_type` at all."""
    if event_type not in AUTHORITY:
        raise SchemaError(f"event type {event_type!r} has no authority")
    return role in AUTHORITY[event_type][1]


def may_say(role: Role, kind: type[AnyBody]) -> bool:
    """As `may_sign`, by the class of the event's body."""
    return role in _OF_BODY[kind][1]


def topics_of(role: Role) -> tuple[str, ...]:
    """The topics `role` writes to, sorted."""
    return tuple(sorted({topic for topic, roles in AUTHORITY.values() if role in roles}))
