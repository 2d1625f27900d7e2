"""The workspace's own authorisation rules, in Cedar (cedarpolicy.com), inside layer 5.

Customers' rules can only restrict: the engine is asked with a permit for everything in front
of them, so a `forbid` refuses, and one annotated `@hold("why")` asks a person instead. What
cannot be evaluated refuses. A rule sees `principal` (`Agent::"name"`, with `rep`), `action`
(`Action::"read"` ... the tool's effect class), `resource` (`Tool::"name"`), and `context`:
`outside`, `destinations`, `objects` (sets of strings), `amount` (cents, the largest), `at`
(seconds since the epoch).
"""

import json
import re
from functools import lru_cache
from typing import Any, Final

import cedarpy
from msgspec import Struct

from sidecar.gate.outcome import Case, Word, hold, passed, refuse
from sidecar.gate.parts import Audience, Part
from sidecar.gate.values import magnitude

_PERMIT: Final = '@id("everything-else-permits")\npermit(principal, action, resource);\n'
_MOST_CENTS: Final = 2**53
_WORDS: Final = re.compile(r"\s+")


class Rules(Struct, frozen=True):
    """Rules that parse, with the reasons by which some of them hold."""

    text: str
    holds: dict[str, str]


@lru_cache(maxsize=64)
def prepare(text: str) -> Rules | str:
    """The rules, or what is wrong with them, in words."""
    try:
        parsed = json.loads(cedarpy.policies_to_json_str(_PERMIT + text))
    except ValueError as error:
        return _WORDS.sub(" ", str(error))[:300]
    holds = {}
    for place, rule in parsed.get("staticPolicies", {}).items():
        if rule.get("effect") == "permit" and place != "policy0":
            return "rules only restrict: write forbid, not permit"
        annotations = rule.get("annotations") or {}
        if "hold" in annotations:
            holds[place] = str(annotations["hold"] or "a rule asks for a person")
    return Rules(_PERMIT + text, holds)


def authorised(case: Case) -> Word:
    """The word of the workspace's own rules; no rules, no objection."""
    if case.policy is None or not case.policy.rules:
        return passed()
    rules = prepare(case.policy.rules)
    if isinstance(rules, str):
        return refuse("the workspace's rules cannot be read", evidence=rules, fix="mend them")
    if case.tool is None or case.lease is None:
        return refuse("there is nothing to hold the workspace's rules against")
    answer = cedarpy.is_authorized(_request(case), rules.text, _entities(case))
    if answer.diagnostics.errors:
        return refuse(
            "a rule of the workspace cannot be evaluated",
            evidence=str(answer.diagnostics.errors[0])[:300],
            fix="mend the rule: doubt refuses",
        )
    if answer.allowed:
        return passed("the workspace's rules allow it")
    # Cedar tells them in any order: in the order written, a decision can be derived again.
    deciding = sorted(answer.diagnostics.reasons, key=lambda name: (len(name), name))
    if deciding and all(reason in rules.holds for reason in deciding):
        return hold(rules.holds[deciding[0]], fix="approve, or change the rule")
    return refuse(
        "a rule of the workspace forbids it",
        evidence=", ".join(deciding)[:300],
        fix="ask whoever keeps the policy",
    )


def _request(case: Case) -> dict[str, Any]:
    assert case.tool is not None and case.lease is not None
    amounts = [
        abs(magnitude(one.value))
        for one in case.said
        if one.part is Part.AMOUNT and isinstance(one.value, int | float)
    ]
    cents = min(_MOST_CENTS, max(amounts, default=0.0) * 100)
    return {
        "principal": f"Agent::{_quoted(case.lease.agent)}",
        "action": f"Action::{_quoted(case.tool.effect.value)}",
        "resource": f"Tool::{_quoted(case.tool.name)}",
        "context": {
            "outside": case.seen is Audience.OUTSIDE,
            "destinations": _texts(case, Part.DESTINATION),
            "objects": _texts(case, Part.OBJECT),
            "amount": round(cents),
            "at": case.now // 1_000_000_000,
        },
    }


def _entities(case: Case) -> list[dict[str, Any]]:
    assert case.lease is not None
    uid = {"type": "Agent", "id": case.lease.agent}
    return [{"uid": uid, "attrs": {"rep": case.lease.rep}, "parents": []}]


def _texts(case: Case, part: Part) -> list[str]:
    return sorted({str(one.value) for one in case.said if one.part is part})


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
