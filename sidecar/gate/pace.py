"""Layer 12, pace: loops, runaway browsing, mass mutation.

A repeated effect is held, since the rep asked for it once; a read may be repeated some times,
then it is a loop and refused. More than one record is removed only where the intent speaks of
more than one.
"""

from schemas.tools import Tool
from sidecar.gate.conduct import call_digest, objects_of, within
from sidecar.gate.normal import spaced
from sidecar.gate.outcome import Case, Word, hold, passed, refuse
from sidecar.gate.values import identifier
from sidecar.gate.wish import Family, Wish, families_of


def pace(case: Case) -> Word:
    """Repetition, then speed, then how many records."""
    tool, given, policy = case.tool, case.arguments, case.policy
    if tool is None or given is None or policy is None:
        return refuse("there is nothing to measure the pace by")
    conduct, limits = case.conduct, policy.pace
    before = conduct.repeats.get(call_digest(tool, case.said), 0)
    if not tool.effect.high_stakes:
        if before >= limits.same_read:
            return refuse(f"a loop: the same read was made {before} times")
        if within(conduct.reads_at, case.now) >= limits.reads_per_minute:
            return refuse(f"runaway browsing: {limits.reads_per_minute} reads in a minute")
        return passed(f"read {before + 1} of this kind")
    if case.undoes:
        return passed("undoing keeps the pace of what was done")
    if before >= limits.same_effect:
        return hold(f"the same was done {before} times already", fix="approve to do it again")
    if within(conduct.effects_at, case.now) >= limits.effects_per_minute:
        return refuse(f"over {limits.effects_per_minute} effects in a minute")
    return _mass(case, tool)


def _mass(case: Case, tool: Tool) -> Word:
    assert case.policy is not None
    touched = case.conduct.objects.get(tool.name, frozenset()) | objects_of(case.said)
    if len(touched) > case.policy.pace.objects_per_tool:
        return hold(
            f"mass mutation: {tool.name} on {len(touched)} records",
            fix="approve, or split the work",
        )
    wish = case.wish
    if len(touched) > 1 and wish is not None and not wish.many:
        removes = Family.REMOVE in families_of(tool)
        if removes and not all(_named(wish, one) for one in touched):
            return hold(
                f"the intent speaks of one record; this is number {len(touched)} for {tool.name}",
                fix="approve if more are meant",
            )
    return passed(f"{len(touched)} records")


def _named(wish: Wish, value: str) -> bool:
    """Whether the intent names this record."""
    return spaced(value) in wish.text or identifier(value) in wish.tokens
