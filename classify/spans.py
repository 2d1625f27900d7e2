"""Spans: which characters of a text are sensitive, as what, and what that makes of the text.

Offsets count characters of the given `str`, so `text[span.start:span.end] == span.text`.
Families are the four kinds of the classification: personal, financial, credential, customer.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from msgspec import Struct

from schemas.names import Classification


class Kind(Enum):
    """What a span is. The value, in upper case, is what its token is called."""

    PERSON = "person"
    ORGANISATION = "organisation"
    EMAIL = "email"
    PHONE = "phone"
    ADDRESS = "address"
    MONEY = "money"
    IBAN = "iban"
    CARD = "card"
    ACCOUNT = "account"
    CREDENTIAL = "credential"
    IP = "ip"
    DATE_OF_BIRTH = "date_of_birth"
    NATIONAL_ID = "national_id"


class Family(Enum):
    """Why a span is sensitive."""

    PERSONAL = "personal"
    FINANCIAL = "financial"
    CREDENTIAL = "credential"
    CUSTOMER = "customer"


NAMES: Final = frozenset({Kind.PERSON, Kind.ORGANISATION})
"""Kinds that are names; the others are structured."""

_FAMILIES: Final = {
    Kind.MONEY: Family.FINANCIAL,
    Kind.IBAN: Family.FINANCIAL,
    Kind.CARD: Family.FINANCIAL,
    Kind.ACCOUNT: Family.FINANCIAL,
    Kind.CREDENTIAL: Family.CREDENTIAL,
    Kind.ORGANISATION: Family.CUSTOMER,
}

# A credential, a card and a national id do harm to whoever's they are in any stranger's hands,
# and the last can never be changed. An account number is printed on every invoice so that
# people pay into it: CONFIDENTIAL, like names and amounts.
_RESTRICTED: Final = frozenset({Kind.CREDENTIAL, Kind.CARD, Kind.NATIONAL_ID})

# Where spans overlap, the lower number stays. A shape with a check digit, or one that is never
# anything else, is surer than one that rests on the words around it.
_SEVERITY: Final = {
    kind: place
    for place, kind in enumerate(
        (
            Kind.CREDENTIAL,
            Kind.CARD,
            Kind.IBAN,
            Kind.NATIONAL_ID,
            Kind.ACCOUNT,
            Kind.DATE_OF_BIRTH,
            Kind.EMAIL,
            Kind.IP,
            Kind.MONEY,
            Kind.PHONE,
            Kind.ADDRESS,
            Kind.PERSON,
            Kind.ORGANISATION,
        )
    )
}


class Span(Struct, frozen=True, order=True):
    """`text` is the characters from `start` up to, not including, `end`."""

    start: int
    end: int
    kind: Kind
    text: str


def family(kind: Kind) -> Family:
    """Which of the four families `kind` belongs to."""
    return _FAMILIES.get(kind, Family.PERSONAL)


def classification_of(spans: Iterable[Span]) -> Classification:
    """The classification of a text with these spans: INTERNAL where there are none."""
    kinds = {span.kind for span in spans}
    if kinds & _RESTRICTED:
        return Classification.RESTRICTED
    return Classification.CONFIDENTIAL if kinds else Classification.INTERNAL


def without_overlaps(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sorted, with no two overlapping.

    A name that holds another is one name, so among names the longest stays; among the others,
    and between the two, the more severe kind, then the longer. What a loser has outside of the
    winner is kept as a span of the loser's kind where letters or digits remain in it, so that
    an overlap never uncovers what was found; only an address's bare `@domain` is let go.
    """
    ranked = sorted(spans, key=_rank)
    if not ranked:
        return ()
    taken: list[Span] = []
    owner = bytearray(max(span.end for span in ranked))
    for span in ranked:
        for start, end in _gaps(owner, span.start, span.end):
            piece = span.text[start - span.start : end - span.start]
            if (start, end) == (span.start, span.end):
                taken.append(span)
            elif any(map(str.isalnum, piece)) and not piece.startswith("@"):
                trimmed = piece.strip()
                start += piece.index(trimmed)
                taken.append(Span(start, start + len(trimmed), span.kind, trimmed))
        owner[span.start : span.end] = b"\x01" * (span.end - span.start)
    return tuple(sorted(taken, key=lambda span: span.start))


def _rank(span: Span) -> tuple[int, int, int, int]:
    length = span.end - span.start
    if span.kind in NAMES:
        return (len(_SEVERITY), -length, _SEVERITY[span.kind], span.start)
    return (_SEVERITY[span.kind], -length, 0, span.start)


def _gaps(owner: bytearray, start: int, end: int) -> list[tuple[int, int]]:
    gaps = []
    while start < end:
        free = owner.find(0, start, end)
        if free < 0:
            break
        taken = owner.find(1, free, end)
        taken = end if taken < 0 else taken
        gaps.append((free, taken))
        start = taken
    return gaps
