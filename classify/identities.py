"""National identifiers and dates of birth.

An identifier with a check digit, or of a shape that is nothing else, stands alone; others
need their label beside them.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from classify.spans import Kind
from classify.view import View


def _nir(digits: str) -> bool:
    return len(digits) == 15 and 97 - int(digits[:13]) % 97 == int(digits[13:])


def _dni(value: str) -> bool:
    number = value[:-1].upper().translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == value[-1].upper()


def _ean(digits: str) -> bool:
    return sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits)) % 10 == 0


def _ssn(digits: str) -> bool:
    return not (digits[:3] in ("000", "666") or digits[3:5] == "00" or digits[5:] == "0000")


def _any(_: str) -> bool:
    return True


_SHAPES: Final[tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...]] = tuple(
    (re.compile(rf"(?<![\w.-]){pattern}(?![\w]|-\d)"), check)
    for pattern, check in (
        (r"[0-8]\d{2}-\d{2}-\d{4}", _ssn),
        (r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:\d\d ?){3}[A-D]", _any),
        (r"[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?\d{2} ?\d{3} ?\d{3} ?\d{2}", _nir),
        (r"(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]", _dni),
        (r"[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]", _any),
        (r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d{2}", _ean),
    )
)
_LABELLED: Final = re.compile(
    r"(?i)(?<![a-z])(?:ssn|social security(?: (?:number|no))?|ni (?:number|no)|national insurance"
    r"(?: number)?|(?:national|personal) id(?:entity)?|(?:id|identity) card|identity number"
    r"|passport|passeport"
    r"|reisepass|pasaporte|driv(?:er'?s?|ing) licen[cs]e|führerschein|permis de conduire"
    r"|permiso de conducir|steuer-?id(?:entifikationsnummer)?|steuernummer|tax (?:id|file number)"
    r"|personalausweis|ausweis|codice fiscale|bsn|personnummer|cpf|pesel|dni|nie|nif|aadhaar|pan)"
    r"(?:[ -]?(?:numbers?|no|nr|num|nummer)\.?|\sn[°ºo]\.?|\s?#){0,2}"
    r"\s?(?::|=|is|ist|est|es)?\s?([A-Z0-9](?:[A-Z]|[ .-]?\d){5,15})(?!\w)"
)
_BIRTH: Final = re.compile(
    r"(?i)(?<![a-z])(?:born|dob|d\.o\.b\.?|date of birth|birth ?dates?|birthday|née?\(?e?\)?"
    r"|nato|nata"
    r"|geboren|geb\.|geburtsdatum|naissance|nacid[oa]|nacimiento|geboortedatum)(?![a-z])"
)
_MONTH: Final = (
    r"(?:jan|feb|fév|fev|mar|mär|apr|avr|abr|ma[iy]|jun|juin|jul|juil|aug|aoû|ago|sep|oct|okt"
    r"|ott|nov"
    r"|dec|déc|dez|dic|ene|gen|giu|lug|set)[^\W\d]{0,7}\.?"
)
_DATE: Final = re.compile(
    rf"(?i)\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/. ]\d{{1,2}}[-/. ]\d{{2,4}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th|er|\.)?(?: of| de| di)? {_MONTH},?(?: de| di| del)? \d{{4}}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
)
_BIRTH_REACH: Final = 40


def national_ids(view: View) -> Iterator[tuple[int, int, Kind]]:
    """Social security, tax, passport and licence numbers."""
    for pattern, check in _SHAPES:
        for match in pattern.finditer(view.text):
            if check("".join(filter(str.isalnum, match[0]))):
                yield *match.span(), Kind.NATIONAL_ID
    for match in _LABELLED.finditer(view.text):
        if sum(map(str.isdigit, match[1])) >= 5:
            yield *match.span(1), Kind.NATIONAL_ID


def dates_of_birth(view: View) -> Iterator[tuple[int, int, Kind]]:
    """Dates that a word shortly before says somebody was born on."""
    for label in _BIRTH.finditer(view.text):
        date = _DATE.search(view.text, label.end(), label.end() + _BIRTH_REACH)
        if date and "\n" not in view.text[label.end() : date.start()]:
            yield *date.span(), Kind.DATE_OF_BIRTH
