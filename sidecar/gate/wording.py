"""The notation of the wordings by which a text speaks to a machine rather than to a person.

A pattern is a regular expression over folded text (see `letters`) with three abbreviations: a
blank stands for what separates words within a sentence, `~` for up to five words, and every
bracket groups without capturing. Each repetition in a pattern is bounded. The first anchors are
the words at which a text is searched at all; of each further set (`a b & c d`) at least one word
must stand in the text too, so that most texts are cleared by a look at their words.
"""

import re
from functools import cached_property
from typing import Final

from msgspec import Struct

from sidecar.gate.letters import folded

_APART: Final = r"(?:[^\w.!?]{1,6})"
_FEW: Final = rf"(?:{_APART}[\w'-]{{1,24}}){{0,5}}?"

DO: Final = (
    r"(accept|act|add|answer|append|approve|assign|attach|block|book|buy|call|cancel|carry out|"
    r"change|choose|click|close|collect|commit|complete|conclude|confirm|contact|convert|copy|"
    r"create|decline|delete|disable|disclose|disregard|do|download|draft|dump|e-?mail|embed|"
    r"enable|enter|erase|escalate|execute|export|extract|fetch|fill|find|follow|forget|forward|"
    r"gather|get|"
    r"give|go|grant|hide|highlight|ignore|include|increase|insert|install|invite|invoke|issue|"
    r"leak|leave|list|log|look|lower|mail|mark|mention|merge|modify|move|navigate|notify|obey|"
    r"omit|open|order|output|overwrite|paste|pay|perform|place|post|praise|print|proceed|provide|"
    r"publish|purchase|push|put|raise|rank|rate|read|recommend|record|refund|reject|release|"
    r"remember|remove|rename|repeat|replace|reply|report|request|reserve|reset|respond|retrieve|"
    r"retry|return|reveal|rotate|run|save|say|schedule|score|search|select|send|set|share|show|"
    r"sign|skip|state|"
    r"stop|submit|subscribe|switch|tell|transfer|treat|type|unlock|unsubscribe|update|upload|"
    r"upvote|use|"
    r"verify|visit|vote|wire|write)"
)
"""What a machine can be told to do."""

MUST: Final = (
    r"(must|should|shall|needs? to|has to|have to|had to|is to|are to|will now|please|may now|"
    r"(is|are) (required|instructed|authori[sz]ed|obliged|requested|asked|expected|directed) to)"
)
LEAD: Final = (
    r"((please|kindly|also|now|first|always|immediately|only|do not|don't|never|you (must|should|"
    r"need to|have to|will|shall|can|are to|may)( also| now| first)?|must|should|just|go ahead and|"
    r"could you( please)?|make sure to|be sure to) ){0,3}"
)
"""What stands before an order."""
_VALUE: Final = (
    r"\w@\w|https?:|www\.\w|\b[a-z]{2}\d{2} ?[a-z0-9]{4}|\d{3}[ -]?\d{3}|[$\u20ac\u00a3] ?\d"
    r"|\d ?(?:eur|usd|gbp|chf)\b"
)
_ORDER: Final = (
    r"(?:^\s{0,3}|[.:!?;>,()\"'\n-]\s{0,3}|\b(?:please|kindly|must|should|to|and|then|now|first|"
    r"also|"
    r"immediately|instead|not|never|always|can|will|just|simply|shall|but)\s)"
    rf"{DO.replace('(', '(?:')}\b|\b(?:must|should|has to|have to) (?:not )?be \w"
)
_HERE: Final = (
    r"\bthis (?:page|site|website|document|e?-?mail|message|ticket|text|file|paragraph|note|"
    r"thread|invoice|resume|cv|review|product|hotel|shop|section|article|candidate|supplier|"
    r"sender|essay|application|event|invitation|commit|change|repository|channel|record|offer)\b"
)
_USER: Final = (
    r"\b(?:the|your|this) (?:user|users|user's|human|account holder)\b"
    r"|\b(?:nutzer|benutzer|utilisateur|usuario|utente)s?\b"
)
_MACHINE: Final = (
    r"\b(?:ai|llms?|chatgpt|language models?|assistants?|agents?|bots?|chatbots?|system prompt|"
    r"ki|ia|sprachmodell|asistente)\b"
)
_KEYS_AND_CODES: Final = (
    r"\b(?:passwords?|tokens?|credentials|api keys?|secrets?|pins?|2fa|root|ssh)\b"
)
_ASIDE: Final = (
    r"\bwithout (?:asking|telling|informing|notifying|confirm|approval|further)|\bquietly\b|"
    r"\bsilently\b|\bdo(?: not|n't) (?:ask|tell|mention|wait|inform)|\bno (?:need|confirmation)\b"
)
_AT_ONCE: Final = r"\b(?:now|immediately|at once|right away|first|instead|zuerst|sofort|jetzt)\b"


class Company(Struct, frozen=True):
    """What else must stand in the paragraph; `after` says only behind the wording.

    Of `words`, if there are any, one stands in a text that has it.
    """

    pattern: re.Pattern[str]
    after: bool = False
    words: frozenset[bytes] = frozenset()


def _company(pattern: str, words: bytes) -> Company:
    return Company(re.compile(pattern), words=frozenset(words.split()))


VALUE_SIGN: Final = re.compile(r"[\d@]|http|www\.")
"""What every text with a value has."""

COMPANY: Final = {
    "value": Company(re.compile(_VALUE)),
    "order": Company(re.compile(_ORDER), after=True),
    "here": _company(_HERE, b"this"),
    "user": _company(
        _USER,
        b"user users human holder nutzer nutzers benutzer benutzers utilisateur "
        b"utilisateurs usuario usuarios utente",
    ),
    "machine": _company(
        _MACHINE,
        b"ai llm llms chatgpt language assistant assistants agent agents bot bots chatbot "
        b"chatbots prompt ki ia sprachmodell asistente",
    ),
    "secret": _company(
        _KEYS_AND_CODES,
        b"password passwords token tokens credentials key keys secret secrets pin pins 2fa root "
        b"ssh",
    ),
    "aside": _company(_ASIDE, b"without quietly silently not don no"),
    "once": _company(_AT_ONCE, b"now immediately once right first instead zuerst sofort jetzt"),
}


class Wording(Struct, frozen=True, dict=True):
    """A way of speaking to a machine; `reason` names it.

    Of `keys` and of each of `others` one word must stand in the text. `beside`: of each set one
    company must be near, of one of them a value if `valued`. A `weak` one marks only together
    with a weak one of another reason.
    """

    reason: str
    keys: frozenset[bytes]
    others: tuple[frozenset[bytes], ...]
    expression: str
    beside: tuple[tuple[Company, ...], ...]
    valued: bool
    weak: bool

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Compiled at the first text that has the words: all of them take a process a quarter of
        a second.
        """
        return re.compile(self.expression)


def wording(
    reason: str, anchors: str, pattern: str, beside: str = "", weak: bool = False
) -> Wording:
    """One of them, from the module's notation; `beside` is written `value|user & order`."""
    pattern = folded(pattern).replace("\\S", "\\s")
    pattern = pattern.replace("(", "(?:").replace("(?:?", "(?")
    pattern = pattern.replace(" ", _APART).replace("~", _FEW)
    keys, *others = (frozenset(part.encode().split()) for part in folded(anchors).split("&"))
    company = tuple(
        tuple(COMPANY[name.strip()] for name in part.split("|"))
        for part in beside.split("&")
        if part
    )
    return Wording(
        reason,
        keys,
        (*others, *(words for words in map(_words_of, company) if words)),
        rf"(?<!\w){pattern}(?!\w)",
        company,
        any(any_of == (COMPANY["value"],) for any_of in company),
        weak,
    )


def _words_of(any_of: tuple[Company, ...]) -> frozenset[bytes]:
    """Of which one stands in any text with such company; empty if there need be none."""
    if not all(company.words for company in any_of):
        return frozenset()
    return frozenset(word for company in any_of for word in company.words)


OVERRIDE: Final = "override of instructions"
POSING: Final = "posing as the task's giver"
ADDRESSED: Final = "addressed to a machine"
CALLED: Final = "a machine called by name"
SECRECY: Final = "kept from the user"
ROLE: Final = "a new role"
TOOLS: Final = "orders to use tools"
OUTPUT: Final = "orders on what to answer"
