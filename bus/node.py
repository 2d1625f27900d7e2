"""The node: everything between a decider and the bus that can be said without I/O.

It verifies entries in order, folds them, numbers, stamps and signs what the decider
drafts, and says what to publish and perform next. `bus.shell` drives it on NATS,
`bus.simulated` in the simulator: the same logic, so the simulator tests what runs.

Rules it keeps:
- **No audit, no action**: an effect that rides in a draft leaves only after the draft has
  come back at its place in the ledger, and as the decider revises it in the state there.
- Each scope (a run, or the workspace) is a lane with one publish under way, so the
  producer's chain in the stream has no holes whatever fails. Lanes do not wait for each
  other, but for fenced topics, where one publish is under way at a time.
- Whoever loses a race (another writer, or its own former incarnation) drops the lane, folds
  what the winner wrote, and asks the decider again.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from typing import Generic

from bus.commands import Command, Perform, Publish
from bus.decider import (
    Decider,
    Done,
    Draft,
    Effect,
    Entry,
    Input,
    Recorded,
    Refused,
    State,
    Tick,
    draft_id,
)
from bus.errors import ContentKeyMissing, LedgerDiverged
from bus.lane import NO_SCOPE, Item, Lane, Lanes, NoScope, Sent
from crypto.errors import Broken, NewerRelease, Rejected, Unraised
from crypto.keyring import Entropy
from crypto.known import Head
from crypto.sealing import ContentKeys, content_fields, open_event, seal_body
from crypto.signing import Signer
from crypto.trust import Trust
from schemas.authority import AUTHORITY, FENCED, fence_of, subject_of
from schemas.envelope import encode_envelope
from schemas.events import Actor, AnyBody, Event, encode_event, event_digest, type_of
from schemas.names import NO_DIGEST
from schemas.runs import EpochOpened


class Node(Generic[State]):
    """One decider on one workspace's ledger. `index` is the last ledger index folded, `own` the
    places of own events by id, as folded until it went live: of those that are `sought`, of all
    where that is None.

    `fences` holds the last index of each fenced topic in the present epoch, 0 for none.
    `whole` says whether this reader sees every entry, so that a missing index is noticed;
    `entropy` gives the nonces of sealed content.
    """

    def __init__(
        self,
        decider: Decider[State],
        *,
        trust: Trust,
        signer: Signer,
        actor: Actor,
        keys: ContentKeys,
        whole: bool = True,
        entropy: Entropy = secrets.token_bytes,
    ) -> None:
        self.decider = decider
        self.trust = trust
        self.actor = actor
        self.state: State = decider.initial(trust.workspace)
        self.index = 0
        self.live = False
        self.own: dict[str, int] = {}
        self.sought: frozenset[str] | None = None
        self.fences: dict[str, int] = dict.fromkeys(FENCED, 0)
        self._signer = signer
        self._keys = keys
        self._whole = whole
        self._entropy = entropy
        self._lanes = Lanes()
        self._under_way: dict[str, str | None] = {}
        self._decided: dict[str, Draft] = {}
        self._sent: dict[str, Sent] = {}
        self._performing: dict[str, set[str]] = {}
        self._awaited: dict[str, set[str]] = {}
        self._settling: dict[str, str] = {}
        self._fence_taken: dict[str, str] = {}
        self._fence_stale = 0
        self._woken: tuple[State, int | None] | None = None
        # A run's reader gets the run's content key late: what it folded sealed, it folds again.
        self._sealed_past: list[Entry] | None = None if whole else []

    def take(self, index: int, subject: str, body: bytes, now: int) -> list[Command]:
        """Fold the entry at `index`, and once live answer it. Repeats are passed over.

        Raises `LedgerDiverged` where entries are missing, or a component's chain is broken.
        """
        if index <= self.index:
            return []
        if self._whole and index != self.index + 1:
            raise LedgerDiverged(
                f"entry {self.index + 1} is missing: the stream went on to {index}"
            )
        entry = self.learn(index, subject, body)
        self.index = index
        topic = subject.rpartition(".")[2]
        if isinstance(entry, Recorded) and isinstance(entry.event.body, EpochOpened):
            # The broker counts a fence within one stream, and this is the first of a new one.
            self.fences = dict.fromkeys(FENCED, 0)
        elif topic in self.fences:
            self.fences[topic] = max(self.fences[topic], index)
        self._fold(entry)
        ours, commands = self._recognise(entry)
        if not self.live:
            return []
        commands += self._answer(entry, now)
        if not ours or self._fence_stale == index:
            commands += self._answer(Tick(), now)
        return commands

    def learn(self, index: int, subject: str, body: bytes, *, vouched: bool = False) -> Entry:
        """Verify one entry and take in the keys it brings, folding no state by it; `vouched` is
        `crypto.trust.Trust.accept_opened`'s. Raises `NewerRelease` where this release is too old.
        """
        try:
            opened = self.trust.opened(subject, body)
            sent = self._sent.get(opened.event.id)
            own = sent is not None and sent.body == body
            verified = self.trust.accept_opened(subject, opened, vouched=vouched, own=own)
        except Rejected as error:
            if isinstance(error, Unraised) and not self._whole:
                # A run's reader does not see what the root says meanwhile; it stands for its run.
                raise NewerRelease(
                    f"{error.what}, as far as this run's process knows", fix="begin the run again"
                ) from error
            if isinstance(error, Broken) and error.suspect and self.live:
                raise LedgerDiverged(
                    f"entry {index} breaks the chain of its producer: {error.what}",
                    fix="the broker dropped or reordered entries; run `anyteam verify`",
                ) from error
            leaf = hashlib.sha256(b"\x00" + body).digest()
            return Refused(index, leaf, error.reason)
        self._keys.learn(verified.event)
        event = verified.event
        return Recorded(index, verified.digest, open_event(event, self._keys), event)

    def prime(self, entries: Iterable[tuple[int, str, bytes]]) -> None:
        """Take in entries from before this reader's own: keys and policy for a run's process.

        They are the root's own chain, for all of which its last signature speaks: a workspace of a
        thousand people has thousands, and each run's process reads them. Raises `LedgerDiverged`
        where one does not verify from the root on.
        """
        known = list(entries)
        vouched = bool(known) and self._speaks_for_all(known[-1])
        for index, subject, body in known:
            entry = self.learn(index, subject, body, vouched=vouched)
            if isinstance(entry, Refused):
                raise LedgerDiverged(f"entry {index} does not verify: {entry.reason}")
            self._fold(entry)

    def _speaks_for_all(self, last: tuple[int, str, bytes]) -> bool:
        try:
            return self.trust.vouch(last[2])
        except Rejected:
            # It may be another's, certified by one of these: then each is verified by itself.
            return False

    def go_live(self, now: int) -> list[Command]:
        """The stream's end is reached: from here on, decide."""
        self.live = True
        self.own.clear()
        return self._answer(Tick(), now)

    def tick(self, now: int) -> list[Command]:
        """Time has passed."""
        return self._answer(Tick(), now) if self.live else []

    def wake_at(self) -> int | None:
        """When (ns) the next `tick` is due, or None. A state is asked once: it does not change."""
        if self._woken is None or self._woken[0] is not self.state:
            self._woken = (self.state, self.decider.wake_at(self.state))
        return self._woken[1]

    def acked(self, event_id: str, index: int, duplicate: bool, now: int) -> list[Command]:
        """The bus stored `event_id` at `index`; or has had it, where `duplicate`."""
        scope = self._under_way.get(event_id, NO_SCOPE)
        if isinstance(scope, NoScope):
            return []
        if duplicate:
            # Ours or a former incarnation's: only the stored bytes tell.
            if index <= self.index:
                self._drop_lane(scope)
                return self._answer(Tick(), now)
            return []
        self._settle(scope, index)
        return self._pump()

    def awaits(self, event_id: str) -> bool:
        """Whether this event is on its way, and has not come back at its place."""
        return event_id in self._under_way

    def conflicted(self, event_id: str, last: int, now: int) -> list[Command]:
        """The fence's last sequence is `last`, not what was expected: another one wrote."""
        scope = self._under_way.get(event_id, NO_SCOPE)
        if isinstance(scope, NoScope):
            return []
        self._drop_lane(scope)
        if last > self.index:
            self._fence_stale = max(self._fence_stale, last)
            return []
        return self._answer(Tick(), now)

    def done(self, effect: Effect, result: object, now: int) -> list[Command]:
        """`effect` came to an end with `result`."""
        answer = self.decider.decide(self.state, Done(effect, result), now)
        commands = self._admit(answer, now)
        waiting = {self._id(out) for out in answer if isinstance(out, Draft)} & set(self._decided)
        self._performing.pop(effect.key, None)
        if waiting:
            self._performing[effect.key] = waiting
            for event_id in waiting:
                self._awaited.setdefault(event_id, set()).add(effect.key)
        return commands

    def _awaiting(self, event_id: str) -> list[str]:
        """The effects that are over but for this event, and wait for it no longer."""
        keys = self._awaited.pop(event_id, ())
        return [key for key in keys if event_id in self._performing.get(key, ())]

    def _fold(self, entry: Entry) -> None:
        """Evolve the state; with a newly learned content key, from the first entry on again."""
        past = self._sealed_past
        if past is None:
            self.state = self.decider.evolve(self.state, entry)
            return
        past.append(entry)
        self.state = self.decider.evolve(self.state, entry)
        run = entry.event.run if isinstance(entry, Recorded) else None
        if run is None or self._keys.key_for(run) is None:
            return
        self._sealed_past = None
        self.state = self.decider.initial(self.trust.workspace)
        for known in past:
            self.state = self.decider.evolve(self.state, self._opened(known))

    def _opened(self, entry: Entry) -> Entry:
        if not isinstance(entry, Recorded):
            return entry
        event = open_event(entry.published, self._keys)
        return Recorded(entry.index, entry.digest, event, entry.published)

    def _id(self, draft: Draft) -> str:
        return draft_id(self.trust.workspace, self.actor, draft)

    def _answer(self, given: Input, now: int) -> list[Command]:
        return self._admit(self.decider.decide(self.state, given, now), now)

    def _admit(self, answer: Sequence[Draft | Effect], now: int) -> list[Command]:
        commands: list[Command] = []
        for out in answer:
            if isinstance(out, Effect):
                commands += self._perform(out)
                continue
            event_id = self._id(out)
            if event_id in self._decided or out.settles in self._settling:
                continue
            self._decided[event_id] = out
            if out.settles:
                self._settling[out.settles] = event_id
            self._lanes.add(out.run, Item(out, event_id, now, self.index))
        return commands + self._pump()

    def _perform(self, effect: Effect) -> list[Command]:
        if effect.key in self._performing:
            return []
        self._performing[effect.key] = set()
        return [Perform(effect)]

    def _pump(self) -> list[Command]:
        """Send the head of every lane that has nothing under way, and no fence to wait for."""
        ready = self._lanes.ready(self._is_free, self.index)
        sent = (self._send(scope, lane, lane.queue[0]) for scope, lane in ready)
        return [publish for publish in sent if publish is not None]

    def _is_free(self, topic: str) -> bool:
        return topic not in self._fence_taken and self._fence_stale <= self.index

    def _send(self, scope: str | None, lane: Lane, item: Item) -> Publish | None:
        topic = AUTHORITY[type_of(item.draft.body)][0]
        fence = fence_of(self.trust.workspace, topic)
        if fence is not None and not self._is_free(topic):
            self._lanes.hold(scope, topic)
            return None
        head = lane.head or self.trust.head(self._signer.key_id, scope)
        event = Event(
            id=item.id,
            workspace=self.trust.workspace,
            run=scope,
            actor=self.actor,
            n=head.n + 1 if head else 0,
            prev=head.digest if head else NO_DIGEST,
            causes=item.draft.causes,
            seen=item.seen,
            at=item.at,
            classification=item.draft.classification,
            body=self._seal(item, scope),
        )
        payload = encode_event(event)
        lane.queue.popleft()
        lane.sent = (item, Head(event.n, event_digest(payload)))
        self._under_way[item.id] = scope
        body = encode_envelope(self._signer.envelope(payload))
        self._sent[item.id] = Sent(lane.sent[1].digest, body)
        if fence is not None:
            self._fence_taken[topic] = item.id
        expected = (fence, self.fences[topic]) if fence is not None else None
        message_id = self._signer.tag(item.id.encode()).hex()[:32]
        return Publish(item.id, message_id, subject_of(event), body, expected)

    def _seal(self, item: Item, scope: str | None) -> AnyBody:
        draft = item.draft
        if not draft.classification.sealed or not content_fields(type(draft.body)):
            return draft.body
        key = self._keys.key_for(scope) if scope is not None else None
        if key is None or scope is None:
            raise ContentKeyMissing(
                f"{type_of(draft.body)} is {draft.classification.value} but its run has no key"
            )
        return seal_body(draft.body, item.id, self.trust.workspace, scope, key, self._entropy)

    def _recognise(self, entry: Entry) -> tuple[bool, list[Command]]:
        """Note an own event that came back: (what was sent is what stands there, effects)."""
        if not isinstance(entry, Recorded) or entry.event.actor != self.actor:
            return True, []
        event_id = entry.event.id
        if not self.live and (self.sought is None or event_id in self.sought):
            self.own[event_id] = entry.index
        for key in self._awaiting(event_id):
            self._performing[key].discard(event_id)
            if not self._performing[key]:
                del self._performing[key]
        sent = self._sent.pop(event_id, None)
        draft = self._forget(event_id)
        if sent is None or sent.digest != entry.digest:
            # Another incarnation wrote it. What we decided or sent ourselves is void.
            if draft is not None:
                self._drop_lane(draft.run)
            return draft is None, []
        if event_id in self._under_way:
            self._settle(self._under_way[event_id], entry.index)
        self._lanes.look_at(entry.event.run)
        commands = self._pump()
        for effect in draft.then if draft is not None else ():
            commands += self._perform(self.decider.revise(self.state, effect))
        return True, commands

    def _forget(self, event_id: str) -> Draft | None:
        """Take a draft off the list of those on their way."""
        draft = self._decided.pop(event_id, None)
        if draft is not None and self._settling.get(draft.settles) == event_id:
            del self._settling[draft.settles]
        return draft

    def _settle(self, scope: str | None, index: int) -> None:
        lane = self._lanes[scope]
        if lane.sent is None:
            return
        item, head = lane.sent
        lane.head, lane.sent, lane.durable = head, None, max(lane.durable, index)
        self._lanes.look_at(scope)
        del self._under_way[item.id]
        self._free_fence(item.id, index)

    def _free_fence(self, event_id: str, index: int) -> None:
        for topic, holder in list(self._fence_taken.items()):
            if holder == event_id:
                del self._fence_taken[topic]
                self.fences[topic] = max(self.fences[topic], index)

    def _drop_lane(self, scope: str | None) -> None:
        """Forget what this scope was about to say; the decider will be asked again."""
        lane = self._lanes.drop(scope)
        if lane is None:
            return
        ids = {item.id for item in lane.queue}
        if lane.sent is not None:
            sent = lane.sent[0].id
            ids.add(sent)
            self._under_way.pop(sent, None)
            self._sent.pop(sent, None)
            self._free_fence(sent, 0)
        for event_id in ids:
            self._forget(event_id)
            for key in self._awaiting(event_id):
                del self._performing[key]
