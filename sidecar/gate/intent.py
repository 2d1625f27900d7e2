"""Layer 4, intent: the action is of a kind that the rep asked for, on what the rep named.

Declared bounds are exact: an effect that is not among them is refused. Where the intent
declares none, its words decide: what they ask for passes, what a rep who only wanted to know
something never asked for is refused, and what cannot be told goes to a person.
"""

from schemas.leases import Intent
from schemas.tools import Effect, Reach
from sidecar.gate.grounding import Ground, ground_destination, ground_object
from sidecar.gate.outcome import Case, Word, hold, passed, refuse
from sidecar.gate.parts import Audience, Part, destinations
from sidecar.gate.wish import Asked, Family, asked, families_of


def intent(case: Case) -> Word:
    """Effect class, then the words, then the declared objects."""
    tool, given, wish = case.tool, case.arguments, case.wish
    if tool is None or given is None or wish is None:
        return refuse("there is no intent, tool or argument to compare")
    if not tool.effect.high_stakes:
        return passed("a read")
    bounds = wish.intent
    if bounds.effects and tool.effect not in bounds.effects:
        return refuse(
            f"the intent allows no {tool.effect.value}",
            evidence=f"declared effects: {', '.join(e.value for e in bounds.effects)}",
            fix="ask for a run whose intent includes it",
        )
    if case.proposal.compensates is not None:
        return _undoing(case)
    foreign = _foreign(case, bounds)
    if foreign:
        return hold(
            f"argument {foreign} names a record that the intent does not",
            evidence=f"{len(bounds.objects)} records are declared",
            fix="approve it, or request a run on that record",
        )
    if bounds.effects:
        return passed(f"{tool.effect.value} is declared")
    found = asked(wish, tool)
    if found is Asked.VERB and Family.REMOVE in families_of(tool):
        return hold(
            "the intent asks to remove something, and names no such thing",
            fix="approve it, or say in the intent what to remove",
        )
    if found is Asked.VERB and _leads_unnamed(case):
        return hold(
            f"the intent asks for no {tool.name}, and names nobody that it leads to",
            fix="approve it, or say so in the intent",
        )
    if found is not Asked.NO:
        return passed(f"the intent asks for it by {found.value}")
    if _rewrites(case):
        return passed("the intent asks to change what this writes anew, and names it")
    if wish.delegated:
        grave = tool.effect in (Effect.PAYMENT, Effect.EGRESS)
        if grave or Family.REMOVE in families_of(tool):
            return hold(
                "the intent hands on instructions found elsewhere, and this cannot be undone",
                fix="compare with those instructions, then approve",
            )
        return passed("the intent hands on instructions found elsewhere")
    if not wish.families and wish.asking:
        return refuse(
            f"the intent only asks to know something; it asks for no {tool.effect.value}",
            fix="ask for a run whose intent says so",
        )
    return hold(
        f"nothing in the intent asks for {tool.name}",
        fix="approve it, or request a run whose intent says so",
    )


def _undoing(case: Case) -> Word:
    """A rep who asked for all or nothing asked for this; and for nothing else by that name."""
    if case.wish is None or not case.wish.intent.together:
        return refuse("the intent does not ask for all or nothing, so nothing is undone by itself")
    if not case.undoes:
        return refuse(
            "it is not what undoes that action",
            evidence="a confirmed action of this run, its tool's declared compensation, once",
            fix="propose it as an action of its own",
        )
    return passed("undoes an action of this run, as its tool declares")


def _rewrites(case: Case) -> bool:
    """Whether a tool that writes files writes one that the intent asks to change, by its name."""
    tool, wish = case.tool, case.wish
    if tool is None or wish is None or Family.CHANGE not in wish.families:
        return False
    paths = [one for one in case.said if one.name in tool.paths]
    return (
        bool(paths)
        and Family.MAKE in families_of(tool)
        and case.seen is Audience.NONE
        and all(
            ground_object(case.knowledge, wish, str(one.value), one.name).ground is Ground.NAMED
            for one in paths
        )
    )


def _leads_unnamed(case: Case) -> bool:
    wish = case.wish
    reached = destinations(case.said)
    if case.tool is None or wish is None or not reached:
        return case.tool is not None and case.tool.reach is Reach.OUTSIDE
    return any(
        ground_destination(case.knowledge, wish, one).ground < Ground.LINKED for one in reached
    )


def _foreign(case: Case, bounds: Intent) -> str:
    if not bounds.objects:
        return ""
    for one in case.said:
        if one.part is Part.OBJECT and str(one.value) not in bounds.objects:
            return one.name
    return ""
