"""Events of identity, policy, control and the life of a run."""

from enum import Enum
from typing import Annotated

from msgspec import Meta, Struct

from schemas.confinement import Wall
from schemas.content import Content
from schemas.leases import Certificate, Intent, Lease
from schemas.names import Digest, KeyId, Name, PublicKey, Text, ToolName
from schemas.tools import Policy


class Body(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="type"):
    """Base of every event body; the tag is the event's type."""


class WorkspaceCreated(Body, frozen=True, tag="workspace.created"):
    """Genesis: always the first event, signed by the root key it names."""

    name: Name
    root: PublicKey


class KeyCertified(Body, frozen=True, tag="key.certified"):
    """The root binds a component's, rep's or admin's key to its holder."""

    certificate: Certificate


class KeyRevoked(Body, frozen=True, tag="key.revoked"):
    """From here on the key signs nothing that is accepted."""

    key_id: KeyId
    reason: Text


class EpochOpened(Body, frozen=True, tag="epoch.opened"):
    """The ledger goes on in another stream, of which this is the first entry.

    `size`, `head` and `root` are the whole ledger's before it: entries, chain head, Merkle root.
    """

    epoch: Annotated[int, Meta(ge=2, description="the new stream's number; the first is 1")]
    size: Annotated[int, Meta(ge=1)]
    head: Digest
    root: Digest


class PolicySet(Body, frozen=True, tag="policy.set"):
    """The workspace's rules from here on."""

    policy: Policy


class RepActivated(Body, frozen=True, tag="rep.activated"):
    """A person may request runs."""

    rep: Name


class RepRevoked(Body, frozen=True, tag="rep.revoked"):
    """A person may request nothing more; live runs of theirs are stopped."""

    rep: Name
    reason: Text


class RunRequested(Body, frozen=True, tag="run.requested"):
    """A rep's signed wish. Nothing wider than this can be granted."""

    rep: Name
    agent: Name
    intent: Intent
    tools: tuple[ToolName, ...]
    ttl_s: Annotated[int, Meta(ge=1)]
    max_actions: Annotated[int, Meta(ge=1)]


class RunRefused(Body, frozen=True, tag="run.refused"):
    """The request asked for what policy does not allow."""

    request: Digest
    reason: Text
    fix: Text


class RunStarted(Body, frozen=True, tag="run.started"):
    """Runtime and judge of this attempt are up; `confined_by` are the walls around both.

    `served` says that the runtime serves an agent from outside, which would lose its connection
    if the run were parked.
    """

    attempt: int
    confined_by: tuple[Wall, ...] = ()
    served: bool = False


class RunParked(Body, frozen=True, tag="run.parked"):
    """All that the run has open waits for a person: it holds no process any more.

    `attempt` is the one whose processes are ended, `awaits` the proposals held. The run goes on
    under a renewed lease once one of them is answered, or its time is over.
    """

    attempt: int
    awaits: tuple[Digest, ...]


class PlanFinished(Body, frozen=True, tag="plan.finished"):
    """The runtime's word that it is done; `claims` are the proposals it says succeeded.

    `summary` is the brain's own words, and so content.
    """

    success: bool
    summary: Content
    claims: tuple[Digest, ...]


class RunOutcome(Enum):
    """How a run ended. SUCCESS only where every effect has a confirmed receipt."""

    SUCCESS = "success"
    FAILURE = "failure"
    STOPPED = "stopped"
    EXPIRED = "expired"
    CRASHED = "crashed"


class RunCompleted(Body, frozen=True, tag="run.completed"):
    """The orchestrator's word after checking the ledger. `receipts` are what it rests on.

    Where all or nothing was asked for and not all was done, `standing` are the actions that may
    have an effect which was not undone: a person must look.
    """

    outcome: RunOutcome
    reason: Text
    receipts: tuple[Digest, ...]
    standing: tuple[Digest, ...] = ()


class RunHalted(Body, frozen=True, tag="run.halted"):
    """A halt covered this run; `halt` is the halt's digest, `standing` as in `run.completed`."""

    halt: Digest
    reason: Text
    standing: tuple[Digest, ...] = ()


class LeaseGranted(Body, frozen=True, tag="lease.granted"):
    """The run's capability; certifies the run's keys."""

    lease: Lease


class LeaseRenewed(Body, frozen=True, tag="lease.renewed"):
    """The same capability with new run keys, after its processes were lost."""

    lease: Lease


class LeaseRevoked(Body, frozen=True, tag="lease.revoked"):
    """The capability ends now, before its time."""

    reason: Text


class LeaseExpired(Body, frozen=True, tag="lease.expired"):
    """The capability's time is over."""

    not_after: int


class WrappedKey(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A run's content key, encrypted to one of the run's certified keys (HPKE, RFC 9180)."""

    recipient: KeyId
    ciphertext: bytes


class ContentKeyWrapped(Body, frozen=True, tag="content_key.wrapped"):
    """The sidecar lets the run's runtime and judge read and write the run's sealed content."""

    keys: tuple[WrappedKey, ...]


class HaltScope(Enum):
    """What a halt covers; PLATFORM is every workspace of the installation."""

    RUN = "run"
    REP = "rep"
    AGENT = "agent"
    WORKSPACE = "workspace"
    PLATFORM = "platform"


class HaltEngaged(Body, frozen=True, tag="halt.engaged"):
    """Stop before the next effect. `target` names the run, rep or agent; empty for all."""

    scope: HaltScope
    target: str
    reason: Text


class HaltReleased(Body, frozen=True, tag="halt.released"):
    """The halt of that scope and target is over."""

    scope: HaltScope
    target: str
    reason: Text
