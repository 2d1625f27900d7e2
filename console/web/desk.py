"""What people decide in the console, signed with their own key and put on the ledger.

Each act is held against what the ledger says now, and bound to what the person saw: an answer to
its proposal's digest, a release to the halt in force. The console's own key signs sign-ins alone.
"""

import asyncio
import time
from typing import Final

from bus.client import Client
from bus.errors import StreamUnavailable
from bus.folder import DataFolder
from console.author import Pen, new_run_id, say
from console.pens import person_pen
from console.view.state import Run, Step
from console.web.errors import BadForm, NotAllowed, NotHere, Outdated
from console.web.feed import Feed
from console.web.passkeys import check_passkey
from console.web.permissions import May, Visitor
from crypto.sealing import ContentKeys
from crypto.signing import Signer
from schemas.access import AccessRole
from schemas.actions import ApprovalDecided, Decision
from schemas.content import Content, plain
from schemas.events import Actor, AnyBody
from schemas.leases import Intent
from schemas.names import Role
from schemas.passkeys import Assertion, PasskeyEnrolled
from schemas.runs import HaltEngaged, HaltReleased, HaltScope, RunRequested
from schemas.tools import Effect

STANDS_S: Final = 20.0


class Desk:
    """Signs and publishes. One act of an author at a time: each goes on from the one before."""

    def __init__(
        self, client: Client, feed: Feed, folder: DataFolder, own: Signer, keys: ContentKeys
    ) -> None:
        self._client = client
        self._keys = keys
        self._feed = feed
        self._folder = folder
        self._own = Pen(Actor(Role.CONSOLE, "console"), own.key_id, own.sign_raw)
        self._turns: dict[bytes, asyncio.Lock] = {}

    async def record(self, body: AnyBody) -> None:
        """The console's own word: sign-ins, and nothing else (`schemas.authority`)."""
        await self._say(self._own, body, None)

    async def decide(
        self,
        visitor: Visitor,
        digest: bytes,
        decision: Decision,
        note: str,
        assertion: Assertion | None = None,
        change: str = "",
    ) -> int:
        """Answer the question about exactly this proposal; the answer's index.

        Raises `NotAllowed`, `NotHere`, `Outdated` where it waits no more, or `NeedsPasskey` where
        an approval does not bear the passkey's signature that it needs. `change` is what should be
        different, and given where that is the decision.
        """
        if not visitor.may(May.DECIDE):
            raise NotAllowed("your role answers no questions", fix="ask an approver")
        step = self._feed.view.step(digest)
        if step is None:
            raise NotHere("no such proposal", fix="go back to the inbox")
        run = self._feed.view.runs[step.run]
        _check_open(step, run)
        _check_other(step, run, visitor.person or "")
        if decision is Decision.APPROVE and step.question is not None and step.question.passkey:
            mine = self._feed.view.passkeys.approving(visitor.person or "")
            check_passkey(digest, decision, assertion, mine)
        body = ApprovalDecided(
            proposal=digest,
            decision=decision,
            note=_short(note, "note"),
            assertion=assertion,
            change=change_of(decision, change),
        )
        causes = (step.question_digest, digest)
        return await self._say(self._pen(visitor), body, step.run, causes)

    async def enrol(self, visitor: Visitor, body: PasskeyEnrolled) -> int:
        """Put a person's own passkey on record; its index. Raises `NotAllowed`."""
        if not visitor.may(May.ENROL):
            raise NotAllowed("your role approves nothing", fix="ask an admin for another role")
        return await self._say(self._pen(visitor), body, None)

    async def halt(self, visitor: Visitor, scope: HaltScope, target: str, reason: str) -> int:
        """Engage a halt; its index. Raises `NotAllowed` or `NotHere`."""
        self.check_halt(visitor, scope, target)
        text = _short(reason, "reason") or "halted in the console"
        body = HaltEngaged(scope=scope, target=target, reason=text)
        return await self._say(self._pen(visitor), body, None)

    async def release(self, visitor: Visitor, scope: HaltScope, target: str, reason: str) -> int:
        """Lift a halt; its index. Raises `NotAllowed`, or `Outdated` where none is in force."""
        if not visitor.may(May.RELEASE):
            raise NotAllowed("your role releases no halts", fix="ask an admin")
        engaged = self._feed.view.engaged()
        if not any((halt.scope, halt.target) == (scope, target) for halt in engaged):
            raise Outdated("no such halt is in force", fix="look at the kill switch again")
        text = _short(reason, "reason") or "released in the console"
        body = HaltReleased(scope=scope, target=target, reason=text)
        return await self._say(self._pen(visitor), body, None)

    async def request(
        self, visitor: Visitor, agent: str, intent: Intent, tools: tuple[str, ...], ttl_s: int
    ) -> str:
        """Ask for a run as the rep that the visitor is; its name."""
        if not visitor.may(May.REQUEST):
            raise NotAllowed("your role asks for no runs", fix="runs are asked for by reps")
        policy = self._feed.view.policy
        if policy is None or agent not in policy.agents:
            raise BadForm(f"no agent {agent!r}", fix="choose one of the list")
        unknown = sorted(set(tools) - {tool.name for tool in policy.tools})
        if unknown or not tools:
            raise BadForm("choose at least one tool of the list", fix=", ".join(unknown))
        if not intent.summary.strip():
            raise BadForm("say what the run is for", fix="the gate holds actions against it")
        name = new_run_id(time.time_ns())
        body = RunRequested(
            rep=visitor.person,
            agent=agent,
            intent=intent,
            tools=tools,
            ttl_s=max(1, min(ttl_s, policy.max_ttl_s)),
            max_actions=policy.max_actions,
        )
        await self._say(self._pen(visitor), body, name)
        return name

    def check_halt(self, visitor: Visitor, scope: HaltScope, target: str) -> None:
        """Whether this visitor may halt that. Raises `NotAllowed`, `NotHere` or `BadForm`."""
        view = self._feed.view
        broad = scope in (HaltScope.WORKSPACE, HaltScope.PLATFORM)
        if broad == bool(target):
            raise BadForm("a run, rep or agent has a name; the workspace and platform have none")
        known = {
            HaltScope.RUN: set(view.runs),
            HaltScope.REP: set(view.reps),
            HaltScope.AGENT: set(view.policy.agents if view.policy is not None else ()),
        }.get(scope)
        own = scope is HaltScope.REP and target == visitor.person
        if scope is HaltScope.RUN and target in view.runs:
            own = visitor.sees(view.runs[target])
        if not visitor.may(May.HALT_ALL) and not (visitor.may(May.HALT) and own):
            raise NotAllowed("you may halt your own runs, and yourself", fix="ask an approver")
        if known is not None and target not in known:
            raise NotHere(f"no {scope.value} {target!r}", fix="choose from the page")

    def _pen(self, visitor: Visitor) -> Pen:
        role = Role.REP if visitor.role is AccessRole.REP else Role.ADMIN
        if not visitor.person:
            raise NotAllowed("your account signs nothing", fix="ask an admin for another role")
        return person_pen(self._folder, visitor.person, role)

    async def _say(
        self, pen: Pen, body: AnyBody, run: str | None, causes: tuple[bytes, ...] = ()
    ) -> int:
        keys = self._keys
        turn = self._turns.setdefault(pen.key_id, asyncio.Lock())
        try:
            async with asyncio.timeout(STANDS_S), turn:
                return await say(
                    self._client, self._feed, pen, body, run=run, causes=causes, keys=keys
                )
        except TimeoutError:
            raise StreamUnavailable(
                "the ledger did not take it in time, or did not give it back",
                fix="look whether it is on record before you try again",
            ) from None


def effects_of(names: list[str]) -> tuple[Effect, ...]:
    """Effects by their names. Raises `BadForm`."""
    try:
        return tuple(Effect(name) for name in names)
    except ValueError as error:
        raise BadForm(str(error), fix="choose from the list") from error


def change_of(decision: Decision, text: str) -> Content | None:
    """What an answer says should be different, as content. Raises `BadForm` where it is missing, or
    given with another answer.
    """
    words = _short(text, "change")
    if decision is Decision.CHANGE and not words:
        raise BadForm("say what should be different", fix="the agent is told these words")
    if decision is not Decision.CHANGE and words:
        raise BadForm(
            f"what should be different goes with change, not {decision.value}",
            fix="choose one of the two",
        )
    return plain(words) if words else None


def _check_open(step: Step, run: Run) -> None:
    if not step.open:
        raise Outdated("this proposal waits no more", fix="somebody was faster; see its run")
    if not run.live:
        raise Outdated(f"its run is over: {run.ended}", fix="nothing is left to decide")
    assert step.question is not None
    if time.time_ns() >= step.question.expires:
        raise Outdated("the question has expired", fix="nothing was done; the run goes on without")


def _check_other(step: Step, run: Run, person: str) -> None:
    """Where two must approve, each is somebody else, and neither is the run's rep."""
    if step.question is None or step.question.people == 1:
        return
    if person in {answer.by for answer in step.answers}:
        raise Outdated("you have answered this", fix="another person must approve it as well")
    if person == run.request.rep:
        raise NotAllowed("it is your own run", fix="two other people must approve it")


def _short(text: str, what: str) -> str:
    if len(text) > 2_000:
        raise BadForm(f"the {what} is over 2,000 characters", fix="shorten it")
    return text.strip()
