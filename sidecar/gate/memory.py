"""Layer 9, memory: what is retained was said by somebody, is no order, and holds no secret.

Write-time validation. A claim that reads like instructions to a machine, in whatever dress, or
that holds a credential, is refused. A standing order, a claim about whom to trust, and a new
address or account are held unless the rep named them; so is a claim that rests on nothing that
the run was given. What is recalled comes back as untrusted text: it never steers.
"""

import re
from typing import Final

from classify.credentials import credentials_in
from schemas.names import Classification
from sidecar.gate.flows import flows
from sidecar.gate.grounding import Ground, ground_amount, ground_destination
from sidecar.gate.knowledge import RANKS, Knowledge
from sidecar.gate.markers import suspicious
from sidecar.gate.normal import decodings, spaced, stem, telling, unspaced
from sidecar.gate.outcome import Case, Word, hold, passed, refuse
from sidecar.gate.parts import Part
from sidecar.gate.values import tokens
from sidecar.gate.wish import Wish

_STANDING: Final = re.compile(
    r"\b(?:always|never|from now on|henceforth|every time|whenever|going forward|in future|"
    r"by default|must|may not|needs? no|no longer needs?|without (?:asking|confirmation|approval)|"
    r"pre-?approved|trusted|every future|all future|"
    r"free of charge|entitled|authori[sz]ed|is safe|can be trusted|siempre|nunca|immer|niemals|"
    r"ab sofort|toujours|jamais|désormais|dorénavant|sempre|mai)\b",
    re.IGNORECASE,
)
_SUPPORT: Final = 0.5
_MOST: Final = 20
_NOTHING: Final = passed("nothing is retained")


def memory(case: Case) -> Word:
    """Passes what retains nothing."""
    tool, wish = case.tool, case.wish
    if tool is None or tool.memory != "retain":
        return _NOTHING
    if wish is None:
        return refuse("there is no intent to hold a claim against")
    said = [str(one.value) for one in case.said if one.part in (Part.CONTENT, Part.PLAIN)]
    for text in said:
        for form in (text, unspaced(text) or "", *decodings(text)):
            if credentials_in(form):
                return refuse("a claim holds a credential", fix="credentials stay in the vault")
            if suspicious(form):
                return refuse(
                    "a claim reads like instructions to a machine",
                    fix="retain what was said, not what it orders",
                )
    done = case.conduct.by_tool.get(tool.name)
    if done is not None and done.calls >= _MOST:
        return hold(f"the run has retained {done.calls} claims already", fix="approve more")
    for text in said:
        word = _claim(case.knowledge, wish, text)
        if word is not None:
            return word
    return passed("a claim that the run was given")


def _claim(known: Knowledge, wish: Wish, text: str) -> Word | None:
    if spaced(text) in wish.text:
        return None
    if _STANDING.search(text):
        return hold(
            "a claim states a rule for later runs that the rep did not state",
            fix="approve it if it is the rep's own rule",
        )
    for token in sorted(tokens(text) - wish.tokens):
        if token[0] in "aeu" and ground_destination(known, wish, token[2:]).ground < Ground.OWN:
            return hold(
                "a claim holds an address or account that no system of record gives",
                fix="check it, then approve",
            )
        large = token.startswith("n:") and abs(float(token[2:])) >= 1000
        if large and ground_amount(known, wish, float(token[2:])).ground < Ground.READ:
            return hold("a claim holds a number that the run was not given", fix="check it")
    if flows(known, wish, [text], RANKS[Classification.RESTRICTED]):
        return hold("a claim holds restricted text", fix="approve if all may know it")
    stems = {stem(word) for word in spaced(text).split() if telling(word)} - wish.stems
    found = sum(1 for one in stems if one in known.words)
    if len(stems) >= 3 and found < _SUPPORT * len(stems):
        return hold("a claim rests on nothing that the run was given", fix="check it, approve")
    return None
