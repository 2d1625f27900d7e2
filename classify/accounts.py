"""Bank and card numbers: IBANs (ISO 13616), cards (ISO/IEC 7812), accounts beside a label."""

import re
from collections.abc import Iterator
from typing import Final

from classify.spans import Kind
from classify.view import View

# The SWIFT registry's length of each country's IBAN.
_IBAN_LENGTHS: Final = {
    entry[:2]: int(entry[2:])
    for entry in [
        "AD24",
        "AE23",
        "AL28",
        "AT20",
        "AZ28",
        "BA20",
        "BE16",
        "BG22",
        "BH22",
        "BI27",
        "BR29",
        "BY28",
        "CH21",
        "CR22",
        "CY28",
        "CZ24",
        "DE22",
        "DJ27",
        "DK18",
        "DO28",
        "EE20",
        "EG29",
        "ES24",
        "FI18",
        "FK18",
        "FO18",
        "FR27",
        "GB22",
        "GE22",
        "GI23",
        "GL18",
        "GR27",
        "GT28",
        "HN28",
        "HR21",
        "HU28",
        "IE22",
        "IL23",
        "IQ23",
        "IS26",
        "IT27",
        "JO30",
        "KW30",
        "KZ20",
        "LB28",
        "LC32",
        "LI21",
        "LT20",
        "LU20",
        "LV21",
        "LY25",
        "MC27",
        "MD24",
        "ME22",
        "MK19",
        "MN20",
        "MR27",
        "MT31",
        "MU30",
        "NI28",
        "NL18",
        "NO15",
        "OM23",
        "PK24",
        "PL28",
        "PS29",
        "PT25",
        "QA29",
        "RO24",
        "RS22",
        "RU33",
        "SA24",
        "SC31",
        "SD18",
        "SE24",
        "SI19",
        "SK24",
        "SM27",
        "SO23",
        "ST25",
        "SV28",
        "TL23",
        "TN24",
        "TR26",
        "UA29",
        "VA22",
        "VG24",
        "XK20",
        "YE30",
    ]
}
_IBAN_START: Final = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?\d{2}")
_CARD: Final = re.compile(r"(?<![\w.+-])[2-6](?:[ -]{0,2}\d){12,18}(?![\w-]|\.\d)")
_CARD_LENGTHS: Final = (
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"4"), (16, 19)),
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),
    (re.compile(r"6(?:011|4[4-9]|5)|62"), (16, 19)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16,)),
    (re.compile(r"30[0-5]|3[689]"), (14,)),
    (re.compile(r"5[06-8]|6"), (16, 18, 19)),
)
_LABELLED: Final = re.compile(
    r"(?i)(?<![a-z])(?:(?:bank |checking |savings? )?(?:account|acct|a/c)|sort[ -]?code|routing"
    r"|aba|kontonummer|konto(?:-?nr)?|bankleitzahl|blz|(?:numéro de )?compte|cuenta|conto)\.?"
    r"(?:\s(?:numbers?|no|num|nr|código|bancaire|bancaria|corrente)\.?|\s?[#№]|\sn[°ºo]\.?){0,2}"
    r"\s{0,2}(?:[:#=]|is|ending(?: in)?|ist|est|es|(?=\s?\d))\s{0,3}(\d(?:[ -]{0,2}\d){3,24})(?!\w)"
)
_WALLET: Final = re.compile(r"(?<!\w)(?:0x[0-9A-Fa-f]{40}|bc1[ac-hj-np-z02-9]{25,59})(?!\w)")
_OLD_WALLET: Final = re.compile(
    r"(?i:wallet|btc|bitcoin)[^\n]{0,30}?(?<!\w)([13][1-9A-HJ-NP-Za-km-z]{25,34})(?!\w)"
)


def ibans(view: View) -> Iterator[tuple[int, int, Kind]]:
    """IBANs whose check digits are right, whatever their grouping and case."""
    text = view.text
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        if length is None:
            continue
        end = _take(text, match.start(), length)
        if end and _mod97(text[match.start() : end]) and not text[end : end + 1].isalnum():
            yield match.start(), end, Kind.IBAN


def cards(view: View) -> Iterator[tuple[int, int, Kind]]:
    """Payment card numbers of a known issuer's prefix and length that pass Luhn's check."""
    for match in _CARD.finditer(view.text):
        digits = "".join(filter(str.isdigit, match[0]))
        if is_card(digits):
            yield *match.span(), Kind.CARD


def accounts(view: View) -> Iterator[tuple[int, int, Kind]]:
    """Account, sort and routing numbers beside their label, and wallets."""
    for match in _LABELLED.finditer(view.text):
        yield *match.span(1), Kind.ACCOUNT
    for match in _WALLET.finditer(view.text):
        yield *match.span(), Kind.ACCOUNT
    for match in _OLD_WALLET.finditer(view.text):
        yield *match.span(1), Kind.ACCOUNT


def is_card(digits: str) -> bool:
    """Whether `digits` could be a payment card's number."""
    lengths = next((lengths for start, lengths in _CARD_LENGTHS if start.match(digits)), ())
    return len(digits) in lengths and _luhn(digits)


def _take(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits from `start` on end, single separators apart."""
    count, position, end = 0, start, len(text)
    while position < end:
        char = text[position]
        if char.isascii() and char.isalnum():
            count += 1
            if count == length:
                return position + 1
        elif char not in " -." or not text[position + 1 : position + 2].isalnum():
            return None
        position += 1
    return None


def _mod97(iban: str) -> bool:
    compact = "".join(filter(str.isalnum, iban)).upper()
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def _luhn(digits: str) -> bool:
    total = sum(map(int, digits[-1::-2]))
    return (total + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])) % 10 == 0
