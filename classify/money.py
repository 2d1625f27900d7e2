"""Amounts of money: beside a currency, scaled ("480k"), or in words.

A scaled number that counts things ("1.2 million users") is no amount.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from classify.numerals import Numeral
from classify.spans import Kind
from classify.view import View
from classify.vocabulary import words

_CODES: Final = (
    "USD|EUR|GBP|CHF|JPY|CNY|CAD|AUD|NZD|HKD|SGD|SEK|NOK|DKK|PLN|CZK|HUF|RON|INR|BRL|MXN|ZAR|TRY|AED"
    "|SAR|ILS|KRW|THB|IDR|MYR|PHP|VND|NGN|KES|GHS|MAD|EGP|ARS|CLP|COP|PEN|UAH|ISK|BGN"
)
_SIGNS: Final = r"(?:US|AU|CA|NZ|HK|SG|MX|[ACRS])?\$|[€£¥₹₽₩₪₺₴₦₱฿]|zł|kr\.?|Rs\.?|Fr\."
_WORDS: Final = (
    r"dollars?|euros?|pounds?(?: sterling)?|sterling|yen|francs?|bucks|quid|rupees?|pesos?"
    r"|kron(?:er|or|a|en)"
    r"|crowns|won|yuan|renminbi|reais|real|dirhams?|shekels?|rand|naira|cedis?|zloty(?:s|ch)?"
    r"|dólares"
    r"|libras|livres|franken|pfund|roubles?|rubles?|lire?"
)
_NUMBER: Final = (
    r"\d{1,3}(?:[.,' ]\d{2,3}){1,4}(?:[.,]\d{1,2}|,-|\.-)?(?![.,]?\d)"
    r"|\d{1,12}(?:[.,]\d{1,3})?(?:,-|\.-)?(?![.,]?\d)"
)
_SCALE: Final = (
    r"(?:millionen|millions?|millones|millón|milliards?|milliarden?|billions?|thousand|tausend"
    r"|mille|lakhs?|crores?"
    r"|grand|mrd|mio|mln|mn|tsd|bn|mm|mil|[kmb])\b\.?"
)
_AMOUNT: Final = re.compile(
    rf"(?i)(?P<before>(?<![a-z0-9])(?:{_CODES})"
    rf"|{_SIGNS})\s{{0,2}}(?:{_NUMBER})(?:\s?{_SCALE})?(?:\s?(?:-"
    rf"|to)\s?(?:{_NUMBER})\s?{_SCALE})?"
    rf"|(?<![\w.,])(?:{_NUMBER})(?:\s?{_SCALE})?(?:\s?(?:-|to|bis|à"
    rf"|a)\s?(?:{_NUMBER})(?:\s?{_SCALE})?)?\s?(?:(?:{_SIGNS})(?!\d)|(?:{_CODES}"
    rf"|{_WORDS})(?![a-z]))"
)
_SCALED: Final = re.compile(
    rf"(?i)(?<![\w.,$])(?:{_NUMBER})(?:(?P<short>k)\b|\s?(?P<long>(?:million|billion|thousand"
    rf"|lakh|crore)s?|millionen|millones|mio\.|mrd\.)\b)"
)
_CURRENCY_NEXT: Final = re.compile(
    rf"(?i)\s{{0,2}}(?:in |of |d'|de )?(?:{_SIGNS}|(?:{_CODES}|{_WORDS})(?![a-z]))"
)
_NEXT_WORD: Final = re.compile(r"\s?-?([^\W\d]+)")
_TALK_OF_MONEY: Final = re.compile(
    r"(?i)\b(?:budget|price|pay(?:s|ing|ment)?|paid|cost|arr|mrr|tcv|acv|deal|amount|salary"
    r"|offer|quote[ds]?|revenue"
    r"|spend|fee|contract|invoice|value|worth|dollars?|euros?|pounds|closed|discount|refund|cap"
    r"|ceiling|bonus)\b"
)
_TALK_REACH: Final = 80
_NOT_COUNTED: Final = words(
    """
    is as plus was this minus less usd euros dollars pounds bucks
    """
)
_COUNTED: Final = frozenset(
    ["people", "staff", "children", "men", "women", "rpm", "bps", "hz", "users", "seats", "of"]
)


def money(view: View, spoken: Iterable[Numeral]) -> Iterator[tuple[int, int, Kind]]:
    """Amounts in digits, and those of the `spoken` numerals that a currency or scale follows."""
    text = view.text
    talk = [match.start() for match in _TALK_OF_MONEY.finditer(text)]
    for match in _AMOUNT.finditer(text):
        yield *match.span(), Kind.MONEY
    for match in _SCALED.finditer(text):
        if not _counts(text, match.end()) and (match["long"] or _near(talk, *match.span())):
            yield *match.span(), Kind.MONEY
    for numeral in spoken:
        currency = _CURRENCY_NEXT.match(text, numeral.end)
        if currency:
            yield numeral.start, currency.end(), Kind.MONEY
        elif numeral.thousands and not _counts(text, numeral.end):
            if _near(talk, numeral.start, numeral.end):
                yield numeral.start, numeral.end, Kind.MONEY


def _counts(text: str, end: int) -> bool:
    """Whether the word after `end` is what the number counts."""
    word = _NEXT_WORD.match(text, end)
    if word is None:
        return False
    noun = word[1].lower()
    return noun in _COUNTED or (noun.endswith("s") and noun not in _NOT_COUNTED)


def _near(places: list[int], start: int, end: int) -> bool:
    """Whether one of the sorted `places` is within reach of `start` to `end`."""
    first = bisect_left(places, start - _TALK_REACH)
    return first < len(places) and places[first] < end + _TALK_REACH
