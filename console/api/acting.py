"""What may be done: a run asked for, a question answered, a halt set or released.

The pages' desk does it, signed with the person's key. That it came by a token is on record beside
the person's words. What moves money is approved where the person looks: in the console.
"""

import msgspec

from console.api import asks, shapes
from console.api.shaping import effect_of
from console.web.errors import BadForm, NeedsPasskey, NotAllowed, NotHere, Outdated
from console.web.here import Here
from console.web.permissions import Visitor
from schemas.actions import Decision
from schemas.leases import Intent
from schemas.tools import Effect


async def request(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.RunWish
) -> shapes.RunAsked:
    """Ask for a run, as the rep that the token's account is."""
    if Effect.READ in given.effects:
        raise BadForm("effects: a read is none", fix="leave read out; it is always there")
    intent = Intent(
        summary=given.summary,
        effects=tuple(given.effects),
        destinations=tuple(given.destinations),
        objects=tuple(given.objects),
        together=given.together,
        unanswered=given.unanswered,
    )
    tools = tuple(given.tools)
    return shapes.RunAsked(
        await here.desk.request(visitor, given.agent, intent, tools, given.ttl_s)
    )


async def decide(
    here: Here, visitor: Visitor, at: asks.OfProposal, given: asks.Answer
) -> shapes.Recorded:
    """Approve or deny exactly this proposal, and no other."""
    digest = bytes.fromhex(at.proposal)
    step = here.view.step(digest)
    # A token that may only answer sees no lists, and yet answers for a person who does.
    person = msgspec.structs.replace(visitor, only=None)
    if step is None or not person.sees(here.view.runs[step.run]):
        raise NotHere("there is no such question", fix="see /approvals")
    by_passkey = step.question is not None and step.question.passkey
    if given.decision is Decision.APPROVE and by_passkey:
        raise NeedsPasskey(
            "policy has this approved with a passkey, which no token is",
            fix="approve it in the console, signed in",
        )
    if given.decision is Decision.APPROVE and effect_of(here, step) in (Effect.PAYMENT, None):
        raise NotAllowed(
            "what moves money is approved by no token", fix="approve it in the console, signed in"
        )
    note = _by_token(given.note, visitor)
    index = await here.desk.decide(visitor, digest, given.decision, note, change=given.change)
    return shapes.Recorded(index)


async def halt(
    here: Here, visitor: Visitor, at: asks.Nothing, given: asks.HaltWish
) -> shapes.Recorded:
    """Stop before the next effect. There is no second question: whoever calls is sure."""
    reason = _by_token(given.reason or "halted through the API", visitor)
    return shapes.Recorded(await here.desk.halt(visitor, given.scope, given.target, reason))


async def release(
    here: Here, visitor: Visitor, at: asks.OfIndex, given: asks.ReleaseWish
) -> shapes.Recorded:
    """Lift exactly this halt; one of the same scope and target that came later stays."""
    found = [halt for halt in here.view.halts if halt.index == at.index]
    if not found:
        raise NotHere(f"entry {at.index} engages no halt", fix="see /halts")
    same = [
        halt
        for halt in here.view.engaged()
        if (halt.scope, halt.target) == (found[0].scope, found[0].target)
    ]
    if not same or same[0].index != at.index:
        raise Outdated(
            "it is released already, or another of the same scope and target came after it",
            fix="see /halts?which=in_force",
        )
    reason = _by_token(given.reason or "released through the API", visitor)
    return shapes.Recorded(
        await here.desk.release(visitor, found[0].scope, found[0].target, reason)
    )


def _by_token(words: str, visitor: Visitor) -> str:
    return f"{words.strip()} [by {visitor.token}]".strip()
