"""Telephone numbers: candidates by shape, judged by libphonenumber's metadata and by context.

A number with its country code speaks for itself. One without must be valid somewhere it is
likely to be from and be grouped as telephone numbers are, or stand beside a word for calling.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

import phonenumbers

from classify.numerals import Numeral
from classify.spans import Kind
from classify.view import View

REGIONS: Final = ("US", "GB", "FR", "DE", "ES")
"""Where a number without country code is assumed to be from (ISO 3166), unless told."""

_CANDIDATE: Final = re.compile(
    r"(?<![\w.#/:-])(?:\+\s?|\(\+?)?\d(?:(?:[ ().-]{0,3}|/)\d){6,15}"
    r"(?: ?(?i:x|ext\.?|extension|durchwahl|poste) ?\d{1,6})?(?![\w]|[-/.:]\d)"
)
_CALLING: Final = re.compile(
    r"(?i)(?<![a-z])(?:call(?:s|ed|ing|back)?|phone|ph|tel|telephone|telefon|mobile|mob|cell"
    r"|ring|text|fax"
    r"|whatsapp|dial|reach|line|handy|rückruf|durchwahl|anrufen|appele[rz]|rappele[rz]|téléphone"
    r"|portable"
    r"|joindre|fixe|teléfono|móvil|llám\w{1,6}|llame\w{0,3}|(?:my|your|the|mon|mi|número"
    r"|meine) (?:number|numéro|nummer|número)"
    r"|number is|número|m|t|p)(?![a-z])\W{0,3}"
)
_OTHER: Final = re.compile(
    r"(?i)(?:order|invoice|ticket|case|po|purchase order|ref|reference|tracking|sku|part"
    r"|customer|client"
    r"|account|serial|batch|isbn|ean|facture|commande|rechnung|bestellung|factura|pedido|seed"
    r"|number|no|id"
    r"|container|version|card|container|konto|compte)[.:#]?\s?(?:number|no|nr|n°|is)?[.:#]?\s{0,2}$"
)
_DATE: Final = re.compile(
    r"\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}(?:\s?\d{1,2}[.:]?\d{0,2})?"
)
_REACH: Final = 45
_MIN_SPOKEN: Final = 7


def phones(
    view: View, spoken: Iterable[Numeral], regions: tuple[str, ...] = REGIONS
) -> Iterator[tuple[int, int, Kind]]:
    """Telephone numbers in digits, and those of the `spoken` numerals that dictate one."""
    text = view.text
    for match in _CANDIDATE.finditer(text):
        if _is_phone(text, match, regions):
            opened = match[0][0] == "(" and ")" not in match[0]
            yield match.start() + opened, match.end(), Kind.PHONE
    for numeral in spoken:
        if not numeral.thousands and _MIN_SPOKEN <= numeral.digits <= 15 and numeral.words >= 2:
            yield numeral.start, numeral.end, Kind.PHONE


def _is_phone(text: str, match: re.Match[str], regions: tuple[str, ...]) -> bool:
    written = match[0]
    if _DATE.fullmatch(written):
        return False
    if written.lstrip("( ").startswith(("+", "00")):
        return _possible("+" + written.lstrip("( +0"), None)
    before = text[max(0, match.start() - _REACH) : match.start()]
    if _OTHER.search(before) and not _CALLING.search(before[-20:]):
        return False
    after = text[match.end() : match.end() + 25]
    calling = _CALLING.search(before) or _CALLING.search(after)
    if calling:
        return any(_possible(written, region) for region in regions)
    groups = re.findall(r"\d+", written)
    if len(groups) < 3 and not written.startswith("0") and "(" not in written:
        return False
    if len(groups) == 1 and len(written) != 10 and not written.startswith("0"):
        return False
    return _grouped(groups) and any(_valid(written, region) for region in regions)


def _grouped(groups: list[str]) -> bool:
    """Telephone groups end in two to four digits, and none has but one, save a country's."""
    return all(2 <= len(group) <= 10 for group in groups[1:]) and len(groups) <= 6


def _parse(written: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(written, region)
    except phonenumbers.NumberParseException:
        return None


def _possible(written: str, region: str | None) -> bool:
    number = _parse(written, region)
    return number is not None and phonenumbers.is_possible_number(number)


def _valid(written: str, region: str) -> bool:
    number = _parse(written, region)
    return number is not None and phonenumbers.is_valid_number(number)
