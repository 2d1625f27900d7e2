"""Trust: the set of keys and producer chains that only verified events can move.

Rules of acceptance, in this order; a breach raises a `Rejected` and changes nothing:
1. The body is an envelope around an event within the size bound, of no higher version than
   the root has written in, which is 1 at first. Where the root's own is higher than what this
   release reads, a `NewerRelease` is raised: nothing after it is to be decided on.
2. The event is of this workspace and lies on the subject that follows from its payload.
3. Its key is certified (by the root, or for a run by its lease), not revoked, within its
   time, and holds the role, instance and run that the event claims; the role may sign it.
4. The signature verifies.
5. It is the next of its producer's chain within its scope: `n` by one, `prev` by digest.
The first event is `workspace.created`, signed by the root key known beforehand.

The set does no I/O and follows the shape of python-tuf's TrustedMetadataSet: bytes in,
the next valid state or an error out.
"""

from collections.abc import Callable
from typing import Final, NoReturn

from msgspec import Struct

from crypto.errors import (
    BadSignature,
    Broken,
    Forged,
    NewerRelease,
    Replayed,
    Unauthorised,
    Unraised,
    Unreadable,
    WrongPlace,
)
from crypto.known import EndedRuns, Head, KnownKeys, packed, unpacked
from crypto.opening import Opened, open_body, unraised
from crypto.signing import key_id_of, verify
from schemas.authority import EVENTLESS, may_say, subject_of
from schemas.envelope import PAYLOAD_TYPE, Envelope, decode_envelope
from schemas.events import VERSION, Event, Frame, event_digest, frame_of
from schemas.leases import Certificate
from schemas.names import NO_DIGEST, Role
from schemas.runs import (
    KeyCertified,
    KeyRevoked,
    LeaseGranted,
    LeaseRenewed,
    RunCompleted,
    RunHalted,
    RunRefused,
    WorkspaceCreated,
)

FOREVER = 2**63 - 1
_RUN_ROLES = (Role.RUNTIME, Role.JUDGE)
# Looked up once: a member of an enumeration is found through its class by a call, in Python 3.11.
_SIDECAR: Final = Role.SIDECAR
_UNSUSPECTED = (*_RUN_ROLES, Role.DEVICE)
"""Whose broken chain may be their own doing, and stops nobody else's work."""
_ENDING = (RunCompleted, RunHalted, RunRefused)
_MOVING = frozenset(
    (
        WorkspaceCreated,
        KeyCertified,
        KeyRevoked,
        LeaseGranted,
        LeaseRenewed,
        RunCompleted,
        RunHalted,
        RunRefused,
    )
)
"""What can change the set beyond its author's chain; most events cannot, and are asked once."""


SignatureCheck = Callable[[bytes, str, bytes, bytes], None]
"""(public key, payload type, payload, signature); raises `BadSignature`."""


class Verified(Struct, frozen=True):
    """An event that passed every rule, with its digest and the certificate it rests on."""

    event: Event
    digest: bytes
    certificate: Certificate


class Trust:
    """See the module's docstring. `root_public` is the only thing trusted beforehand.

    `check` verifies one signature as `crypto.signing.verify` does; a caller that has
    verified a batch elsewhere, or verifies the same bytes often, brings its own.
    With `partial`, entries may be missing (a selection of a ledger): then a producer's events
    need only come in their order, and follow by digest where they stand side by side. The
    root's must all be there, since they say whose keys count. `ended` takes the heads of runs that
    are over, and is empty at first.
    """

    def __init__(
        self,
        workspace: str,
        root_public: bytes,
        *,
        check: SignatureCheck = verify,
        partial: bool = False,
        ended: EndedRuns | None = None,
    ) -> None:
        self.workspace = workspace
        self._check = check
        self._partial = partial
        self._root = Certificate(
            key_id=key_id_of(root_public),
            public_key=root_public,
            role=Role.ROOT,
            instance="root",
            not_before=0,
            not_after=FOREVER,
        )
        self._keys: dict[bytes, Certificate] = {self._root.key_id: self._root}
        self._heads: dict[str | None, dict[bytes, Head]] = {}
        self._ended: EndedRuns = {} if ended is None else ended
        self._run_keys: dict[str, tuple[bytes, ...]] = {}
        self._created = False
        self._version = 1

    def known(self) -> KnownKeys:
        """What was learned so far. Costs in proportion to it, not to the ledger."""
        return KnownKeys(
            workspace=self.workspace,
            root=self._root.public_key,
            keys=tuple(self._keys.values()),
            heads=tuple((run, packed(heads)) for run, heads in self._heads.items()),
            ended=dict(self._ended),
            run_keys=dict(self._run_keys),
            created=self._created,
            version=self._version,
        )

    def resume(self, known: KnownKeys) -> None:
        """Go on from `known`, which this trust's own owner took and has kept from all others.

        Raises `WrongPlace` where it is another workspace's, or rests on another root.
        """
        if (known.workspace, known.root) != (self.workspace, self._root.public_key):
            raise WrongPlace(f"these keys are of {known.workspace!r}, or under another root")
        self._keys = {certificate.key_id: certificate for certificate in known.keys}
        self._heads = {run: unpacked(heads) for run, heads in known.heads}
        self._ended = dict(known.ended)
        self._run_keys = dict(known.run_keys)
        self._created = known.created
        self._version = known.version

    def accept(self, subject: str, body: bytes) -> Verified:
        """Verify one entry and move on by it.

        Raises a `Rejected` or `NewerRelease`, and then nothing moved.
        """
        return self.accept_opened(subject, self.opened(subject, body))

    def opened(self, subject: str, body: bytes) -> Opened:
        """`open_body`, for `accept_opened`. Raises `Unreadable` or `NewerRelease`."""
        try:
            return open_body(body)
        except Unreadable as error:
            self.refuse(subject, error)

    def refuse(self, subject: str, error: Unreadable) -> NoReturn:
        """Raise what `open_body` did; or `NewerRelease`, where it is the root who says it."""
        if isinstance(error, Unraised):
            envelope = decode_envelope(error.body)
            frame = frame_of(envelope.payload)
            if frame is not None and envelope.key_id == self._root.key_id and frame.run is None:
                self._follow(subject, envelope, frame, move=False)
                raise NewerRelease(
                    f"from here on the ledger is of version {frame.v}; this release reads"
                    f" up to {VERSION}",
                    fix="upgrade this component; docs/operations.md names the release",
                )
        raise error

    def follow(self, subject: str, error: Unraised) -> None:
        """Move on by an entry of a version that the ledger was raised to and that this release does
        not read: its place, its key, its signature and its chain, by its frame alone.

        For who reports and decides nothing. Raises a `Rejected`, and then nothing moved.
        """
        envelope = decode_envelope(error.body)
        frame = frame_of(envelope.payload)
        if frame is None:
            raise error
        self._follow(subject, envelope, frame, move=True)

    def _follow(self, subject: str, envelope: Envelope, frame: Frame, *, move: bool) -> None:
        what, own = f"an event of version {frame.v}", f"ws.{self.workspace}."
        if frame.workspace != self.workspace or not subject.startswith(own):
            raise WrongPlace(f"{what} of workspace {frame.workspace!r} on {subject}")
        certificate = self._keys.get(envelope.key_id)
        if certificate is None or (certificate.role, certificate.instance) != (
            frame.actor.role,
            frame.actor.instance,
        ):
            raise Unauthorised(
                f"{what} is by key {envelope.key_id.hex()}, which is not its author's"
            )
        self._check_signature(envelope, certificate, what)
        heads = self._heads.get(frame.run)
        kept = self._packed(frame.run) if heads is None else None
        heads = unpacked(kept) if heads is None else heads
        self._check_chain(frame, what, heads.get(envelope.key_id), certificate)
        if not move:
            return
        heads[envelope.key_id] = Head(frame.n, event_digest(envelope.payload))
        if kept is not None and frame.run is not None:
            self._ended[frame.run] = packed(heads)
        else:
            self._heads[frame.run] = heads

    def vouch(self, body: bytes) -> bool:
        """Whether this is signed by the root and speaks for all that the root said before it.

        Each of the root's events names the digest of the one before. So of those that are to be
        accepted next, this one the last, the others may be `vouched`. Raises a `Rejected`.
        """
        opened = open_body(body)
        certificate = self._certificate(opened.event, opened.envelope.key_id)
        self._check_signature(opened.envelope, certificate, opened.event.type)
        return self._vouches(opened.event, certificate)

    def accept_opened(
        self, subject: str, opened: Opened, *, vouched: bool = False, own: bool = False
    ) -> Verified:
        """As `accept`, of a body that `open_body` has taken apart. With `vouched` nothing but the
        signatures of the root's own chain is passed over: its links are checked as ever. So with
        `own` this one's, which is to be said of the very bytes that the caller has signed itself.
        """
        envelope, event = opened.envelope, opened.event
        self._check_place(event, subject)
        certificate = self._certificate(event, envelope.key_id)
        if not own and not (vouched and self._vouches(event, certificate)):
            self._check_signature(envelope, certificate, event.type)
        heads, kept = self._heads.get(event.run), None
        opens = heads is None
        if heads is None:
            kept = self._packed(event.run)
            heads = unpacked(kept)
        self._check_chain(event, event.type, heads.get(envelope.key_id), certificate)
        if event.v > self._version and certificate is not self._root:
            raise unraised(event.v)
        moving = type(event.body) in _MOVING
        if moving:
            self._check_grant(event)
        digest = event_digest(envelope.payload)
        heads[envelope.key_id] = Head(event.n, digest)
        if event.v > self._version:
            self._version = event.v
        if moving:
            self._fold(event, heads)
        if moving or opens:
            self._keep(event, heads, late=kept is not None)
        return Verified(event, digest, certificate)

    def _vouches(self, event: Event, certificate: Certificate) -> bool:
        """Whether it is in the one chain that every reader has whole: the root's, in no run."""
        return certificate is self._root and event.run is None and not self._partial

    def _check_signature(self, envelope: Envelope, certificate: Certificate, what: str) -> None:
        try:
            self._check(certificate.public_key, PAYLOAD_TYPE, envelope.payload, envelope.signature)
        except BadSignature as error:
            raise Forged(f"{what} is not signed by the key it names") from error

    def head(self, key_id: bytes, run: str | None) -> Head | None:
        """The last accepted event of a key in a scope, or None."""
        heads = self._heads.get(run)
        return (unpacked(self._packed(run)) if heads is None else heads).get(key_id)

    def certificate(self, key_id: bytes) -> Certificate | None:
        """The certificate of a key that is in force (its time aside), or None."""
        return self._keys.get(key_id)

    def keys_of(self, role: Role, instance: str) -> tuple[bytes, ...]:
        """The public keys in force of one holder."""
        return tuple(
            certificate.public_key
            for certificate in self._keys.values()
            if certificate.role is role and certificate.instance == instance
        )

    def _check_place(self, event: Event, subject: str) -> None:
        if event.workspace != self.workspace:
            raise WrongPlace(f"{event.type} belongs to workspace {event.workspace!r}")
        expected = subject_of(event)
        if subject != expected:
            raise WrongPlace(f"{event.type} belongs on {expected}, found on {subject}")
        if self._created is isinstance(event.body, WorkspaceCreated):
            raise WrongPlace(f"{event.type} cannot stand here: genesis comes first and once")

    def _certificate(self, event: Event, key_id: bytes) -> Certificate:
        certificate = self._keys.get(key_id)
        if certificate is None:
            raise Unauthorised(f"{event.type} is signed by key {key_id.hex()}, not in force here")
        if not certificate.not_before <= event.at < certificate.not_after:
            raise Unauthorised(f"{event.type} is dated outside the time of key {key_id.hex()}")
        actor = event.actor
        if actor.role is not certificate.role or actor.instance != certificate.instance:
            raise Unauthorised(
                f"{event.type} claims {actor.role.value}/{actor.instance}; its key is"
                f" {certificate.role.value}/{certificate.instance}'s"
            )
        if certificate.run is not None and event.run != certificate.run:
            raise Unauthorised(f"{event.type} is outside run {certificate.run} of its key")
        if certificate.role is _SIDECAR and certificate.instance in EVENTLESS:
            raise Unauthorised(f"the {certificate.instance}'s key signs no events")
        if not may_say(certificate.role, type(event.body)):
            raise Unauthorised(f"{certificate.role.value} may not sign {event.type}")
        return certificate

    def _packed(self, run: str | None) -> bytes | None:
        """The heads of a run that is over, None of one that is not, or that nobody spoke in."""
        return self._ended.get(run) if run is not None else None

    def _keep(self, event: Event, heads: dict[bytes, Head], *, late: bool) -> None:
        """A run's heads lie open until it is over, and are packed from then on.

        `late` is said in a run that was over; a lease granted after all opens it again.
        """
        run, body = event.run, event.body
        over = isinstance(body, _ENDING) or (
            late and not isinstance(body, LeaseGranted | LeaseRenewed)
        )
        if run is not None and over:
            self._heads.pop(run, None)
            self._ended[run] = packed(heads)
            return
        self._heads[run] = heads
        if run is not None and late:
            del self._ended[run]

    def _check_chain(
        self, event: Event | Frame, what: str, head: Head | None, certificate: Certificate
    ) -> None:
        if head is not None and event.n <= head.n:
            raise Replayed(
                f"{what} number {event.n} of {event.actor.instance}: already at {head.n}"
            )
        number, prev = (0, NO_DIGEST) if head is None else (head.n + 1, head.digest)
        if self._partial and event.n > number and certificate.role is not Role.ROOT:
            return
        if event.n != number or event.prev != prev:
            broken = Broken(
                f"{what} number {event.n} of {event.actor.instance} does not follow"
                f" number {number - 1}"
            )
            broken.suspect = certificate.role not in _UNSUSPECTED
            raise broken

    def _check_grant(self, event: Event) -> None:
        body = event.body
        if isinstance(body, WorkspaceCreated):
            if body.root != self._root.public_key:
                raise Unauthorised("the workspace was created under another root key")
        elif isinstance(body, KeyCertified):
            granted = body.certificate
            if granted.role in (*_RUN_ROLES, Role.ROOT) or granted.run is not None:
                raise Unauthorised(f"the root does not certify {granted.role.value} keys")
            self._check_new(granted)
        elif isinstance(body, LeaseGranted | LeaseRenewed):
            lease = body.lease
            if lease.run != event.run:
                raise Unauthorised("a lease for another run than its own")
            for granted in lease.keys:
                if granted.role not in _RUN_ROLES or granted.run != lease.run:
                    raise Unauthorised("a lease certifies only its own run's runtime and judge")
                if granted.not_after > lease.not_after:
                    raise Unauthorised("a lease certifies a key beyond its own end")
                self._check_new(granted)

    def _check_new(self, granted: Certificate) -> None:
        if granted.key_id != key_id_of(granted.public_key):
            raise Unauthorised("a certificate whose key id is not its key's")
        if granted.key_id in self._keys:
            raise Unauthorised("a certificate for a key that has one")

    def _fold(self, event: Event, heads: dict[bytes, Head]) -> None:
        body = event.body
        if isinstance(body, WorkspaceCreated):
            self._created = True
        elif isinstance(body, KeyCertified):
            self._keys[body.certificate.key_id] = body.certificate
        elif isinstance(body, KeyRevoked):
            self._keys.pop(body.key_id, None)
        elif isinstance(body, LeaseGranted | LeaseRenewed):
            self._end_lease(body.lease.run, heads)
            self._run_keys[body.lease.run] = tuple(granted.key_id for granted in body.lease.keys)
            for granted in body.lease.keys:
                self._keys[granted.key_id] = granted
        elif isinstance(body, RunCompleted | RunHalted) and event.run is not None:
            self._end_lease(event.run, heads)

    def _end_lease(self, run: str, heads: dict[bytes, Head]) -> None:
        for key_id in self._run_keys.pop(run, ()):
            self._keys.pop(key_id, None)
            heads.pop(key_id, None)
