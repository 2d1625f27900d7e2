"""Layer 8, classification: what the action carries may go where it goes.

The gate finds in the arguments what the runtime has read (`sidecar.gate.flows`), with its
tag. Content travels when the intent asks for it to be carried, from where the rep pointed to;
never above the tool's ceiling, and never in an encoding. Credentials leave by no tool.
"""

from collections.abc import Iterator
from typing import Final

from classify.credentials import credentials_in
from classify.spans import Kind
from schemas.actions import LayerResult
from schemas.names import Classification
from schemas.tools import Effect
from sidecar.gate.domains import address_of
from sidecar.gate.flows import Dress, Flow, flows, opaque
from sidecar.gate.glance import glance
from sidecar.gate.knowledge import RANKS, Knowledge
from sidecar.gate.normal import decodings, fold, spaced, stem, stems, unspaced
from sidecar.gate.outcome import Case, Word, hold, passed, refuse
from sidecar.gate.parts import Argument, Audience, Part
from sidecar.gate.secret_parts import part_of_secret
from sidecar.gate.wish import Wish

_CONFIDENTIAL = RANKS[Classification.CONFIDENTIAL]
_CALLED: Final = {
    kind.value: frozenset(stems(said.split()))
    for kind, said in (
        (Kind.PHONE, "phone telephone mobile cell number"),
        (Kind.ADDRESS, "address street"),
        (Kind.DATE_OF_BIRTH, "birthday birth born"),
        (Kind.IBAN, "iban account bank"),
        (Kind.ACCOUNT, "account bank"),
        (Kind.CARD, "card"),
        (Kind.NATIONAL_ID, "passport ssn licence license identity"),
    )
}
"""What an intent that asks for a tagged span calls it, by kind."""


def classification(case: Case) -> Word:
    """Credentials, then encodings, then what flows."""
    tool, given, wish, policy = case.tool, case.arguments, case.wish, case.policy
    if tool is None or given is None or wish is None or policy is None:
        return refuse("there is nothing to classify the arguments by")
    seen = case.seen
    if not tool.effect.high_stakes and seen is Audience.NONE:
        return passed("nobody else sees it")
    texts = [text for one in case.said if (text := _carrier(one))]
    whole = case.whole
    readings = [text for text in (whole, *decodings(whole), unspaced(whole)) if text]
    for text in readings:
        for span in credentials_in(text):
            if span.text.isalpha():
                continue
            if span.text in wish.intent.summary or _belongs(case, span.text):
                return hold("a credential that the intent names would leave", fix="check, approve")
            return refuse(
                "a credential would leave",
                fix="remove it; credentials stay in the vault",
            )
    if seen is Audience.NONE:
        return passed("nobody else sees it")
    secrets = case.knowledge.secrets
    for text in readings:
        part = part_of_secret(secrets, text)
        if part and not part_of_secret({part: 0}, wish.intent.summary):
            return refuse(
                "a part of a credential that the run read would leave",
                evidence=f"observation {secrets[part]}",
                fix="remove it; credentials stay in the vault",
            )
    glanced = glance(whole)
    within = glanced if all(text in whole for text in texts) else None
    found = (
        *flows(case.knowledge, wish, texts, _CONFIDENTIAL, case.conduct.sent, within),
        *_inside_objects(case),
    )
    ceiling = RANKS[tool.ceiling]
    worst: Word | None = None
    for flow in found:
        word = _judge(case.knowledge, flow, wish, seen, ceiling)
        if word is None:
            continue
        if word.result is LayerResult.REFUSE:
            return word
        worst = worst or word
    if worst is None and tool.effect is not Effect.READ and (glanced.coded or glanced.long):
        hidden = next(filter(None, (opaque(text, glanced) for text in _hideouts(case))), "")
        if hidden and spaced(hidden) not in wish.text:
            worst = hold(
                "an argument carries a long run that cannot be read",
                evidence=f"{len(hidden)} characters",
                fix="send it in the clear, or approve",
            )
    return worst or passed(f"{len(found)} confidential passages, carried as asked")


def _belongs(case: Case, secret: str) -> bool:
    """Whether the tool's declaration has a place for this secret: an object, as of a password."""
    paths = case.tool.paths if case.tool is not None else ()
    return any(
        one.part is Part.OBJECT and one.name not in paths and secret in str(one.value)
        for one in case.said
    )


def _carrier(one: Argument) -> str:
    """What of an argument can carry content: of an address only its tag, of a URL what follows
    the host, of an identifier nothing.
    """
    if not isinstance(one.value, str) or one.part is Part.OBJECT:
        return ""
    if one.part is not Part.DESTINATION:
        return one.value
    box = address_of(one.value)
    if box is not None:
        return box.tag
    _, _, rest = one.value.partition("//")
    _, _, path = (rest or one.value).partition("/")
    return path


def _judge(known: Knowledge, flow: Flow, wish: Wish, seen: Audience, ceiling: int) -> Word | None:
    outside = seen is Audience.OUTSIDE
    rank = list(Classification)[flow.segment.rank].value
    kind = f", {flow.segment.kind}" if flow.segment.kind else ""
    evidence = f"observation {flow.segment.observation}, {flow.shared} words{kind}"
    if flow.dress is Dress.ENCODED:
        return refuse(
            f"{rank} text is carried in an encoding",
            evidence=evidence,
            fix="say openly what is sent",
        )
    asked = carries(known, wish, flow)
    above = flow.segment.rank > ceiling
    if asked and not above:
        return None
    if above and outside and not asked:
        return refuse(
            f"{rank} text would leave the organisation",
            evidence=evidence,
            fix="ask for it in the intent, or leave it out",
        )
    where = "leave the organisation" if outside else "go to people it was not given to"
    return hold(
        f"{rank} text that the run read would {where}",
        evidence=evidence,
        fix="approve if that is meant",
    )


def carries(known: Knowledge, wish: Wish, flow: Flow) -> bool:
    """Whether the intent asks for the content of this segment's source to be carried.

    Where the rep named one thing of a kind and the run found it, no other of that kind is meant.
    A span with a tag of its own is asked for by what it is called, too.
    """
    if not wish.carries or flow.segment.certain:
        return wish.carries
    nouns = flow.segment.nouns
    named = flow.segment.linked or not wish.names
    if _CALLED.get(flow.segment.kind, frozenset()) & wish.stems:
        return named
    return bool(nouns & wish.carried) and named and not nouns & known.found


def _inside_objects(case: Case) -> Iterator[Flow]:
    """What the run itself wrote into the objects that this action hands on."""
    for one in case.said:
        if one.part is Part.OBJECT:
            for number in sorted(case.conduct.tainted.get(fold(str(one.value)), ())):
                segment = case.knowledge.segments[number]
                yield Flow(number, segment, Dress.PLAIN, segment.telling)


def _hideouts(case: Case) -> list[str]:
    known = case.knowledge
    return [
        str(one.value)
        for one in case.said
        if one.part in (Part.CONTENT, Part.PLAIN, Part.DESTINATION)
        and isinstance(one.value, str)
        and (" " in one.value or stem(one.value.casefold()) not in known.words)
    ]
