"""The values in a text that can steer an action, each with its type and in one spelling.

A value is compared by type: `13` of `file 13` is an identifier, of `June 13` part of a date,
of `13.00 EUR` an amount. A token is a short string `kind:canonical`, so that sets and maps
of values stay small.
"""

import re
from functools import lru_cache
from typing import Final

from sidecar.destinations.names import canonical
from sidecar.gate.normal import fold, words

EMAIL: Final = re.compile(r"[\w][\w.!#$%&*+/=?^{|}~-]{0,63}@(?:[\w-]{1,63}\.)+[\w-]{1,62}\w")
URL: Final = re.compile(
    r"(?:https?://|ftp://|www\.)[^\s<>\"'`)\]}|]{3,2000}"
    r"|\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:com|net|org|io|ai|co|dev|app|info|biz|ru|cn|"
    r"ly|me|gl|uk|de|fr|eu|xyz|site|online|top|cloud|link|click|example|test)\b(?:/[^\s<>\"'`)\]}|]*)?",
    re.IGNORECASE,
)
_ACCOUNT: Final = re.compile(
    r"\b[a-z]{2}\d{2}(?:[a-z0-9]{8,30}|(?:[ -][a-z0-9]{4}){2,7}(?:[ -][a-z0-9]{1,3})?)\b"
)
_LONG_NUMBER: Final = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){6,30}(?![\w-]|[.,]\d)")
_NUMBER: Final = re.compile(
    r"(?<![\w.,])[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,])\d+(?:\.\d+)?"
)
_MULTIPLE: Final = {"k": 1_000, "m": 1_000_000, "thousand": 1_000, "million": 1_000_000}
_MULTIPLIED: Final = re.compile(r"(\d+(?:\.\d+)?) ?(k|m|thousand|million)\b", re.IGNORECASE)
_IDENTIFIED: Final = re.compile(
    r"\b(?:ids?|no|nr|num|numbers?|ref|reference|code|ticket|case|record|key)\b\W{0,4}"
    r"(?:of\W|is\W|with\W|=\W?|:\W?)?\W{0,3}([a-z0-9][a-z0-9_-]{0,62})"
    r"|#([a-z0-9][a-z0-9_-]{0,62})|['\"`]([a-z0-9][a-z0-9_-]{0,15})['\"`]",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(
    r"\b(?:invoice|order|file|ticket|case|event|deal|record|task|issue|bill|booking|reservation|"
    r"contract|project|version|room|week|page|line|section|chapter|part|quote|item|employee|"
    r"customer|user|message|e-?mail|mail|document|row|step|flight|gate|seat|transaction|payment|"
    r"appointment|meeting|lead|opportunity|contact|account|claim|asset|device|server|pr|po|rfc|"
    r"job|batch|lot|shipment|parcel|form|question|slide|table|figure|release|build|sprint|epic|"
    r"story|candidate|entry|note|product|model|unit|floor|building|level|phase|stage|option|"
    r"request)s? (?:of |is |with )?(#?\d{1,9}(?:(?:, ?| and | or |, and )#?\d{1,9})*)\b(?![.,]\d)",
    re.IGNORECASE,
)
_DIGITS: Final = re.compile(r"\d+")
_MONTHS: Final = {
    name[:3]: number
    for number, name in enumerate(
        (
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
            "december",
        ),
        start=1,
    )
}
_MONTH: Final = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_ISO: Final = re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_MONTH_DAY: Final = re.compile(rf"\b{_MONTH}\.? (\d{{1,2}})(?:st|nd|rd|th)?\b", re.IGNORECASE)
_DAY_MONTH: Final = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}\b", re.IGNORECASE)
_DAY_RANGE: Final = re.compile(
    rf"\b(\d{{1,2}})(?:st|nd|rd|th)? ?(?:to|-|until|through) ?(?:the )?"
    rf"(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? {_MONTH}\b",
    re.IGNORECASE,
)
_CLOCK: Final = re.compile(r"(?:\b|(?<=t))([01]?\d|2[0-3])[:h]([0-5]\d)\b")
_SECURE_SPACES: Final = re.compile(r"[ -]")


@lru_cache(maxsize=1024)
def tokens(text: str) -> frozenset[str]:
    """All typed values in `text`: `e:` mailboxes, `u:` URLs, `h:` hosts, `a:` accounts and
    other long numbers, `n:` amounts, `d:` days (`mm-dd`), `c:` clock times, `i:` identifiers.
    """
    folded = fold(text)
    found: set[str] = set()
    if "@" in folded:
        for match in EMAIL.finditer(folded):
            found |= mailbox(match[0])
        folded = EMAIL.sub(" ", folded)
    for match in URL.finditer(folded):
        found |= address(match[0])
    for match in _ACCOUNT.finditer(folded):
        found.add("a:" + _SECURE_SPACES.sub("", match[0]))
    folded = _ACCOUNT.sub(" ; ", folded)
    if any(c.isdigit() for c in folded):
        _numbers(folded, found)
    return frozenset(found)


def mailbox(text: str) -> set[str]:
    """The tokens of one e-mail address: with its tag as written, and its host.

    A `+tag` (RFC 5233) goes to the same mailbox, so it is left out of the token; what it
    may carry is looked at as content.
    """
    local, _, host = text.strip().rstrip(".").rpartition("@")
    if not host.isascii():
        host = canonical(host) or host
    plain, _, _ = local.partition("+")
    return {f"e:{plain or local}@{host}", f"h:{host}"}


def address(text: str) -> set[str]:
    """The tokens of one URL, with and without scheme: host, and host with path."""
    rest = re.sub(r"^[a-z][a-z0-9+.-]*:/*", "", text.strip()).rstrip(".,;:!?)'\"")
    rest = rest.split("#")[0]
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2].partition(":")[0].rstrip(".")
    bare = host.removeprefix("www.")
    found = {f"h:{bare}"}
    tail = (slash + path).rstrip("/")
    return found | ({f"u:{bare}{tail}"} if tail else {f"u:{bare}"})


def amount(value: float) -> str:
    """The token of an amount; one beyond all floats is infinite."""
    return f"n:{magnitude(value):.2f}"


def magnitude(value: float) -> float:
    """`value` as a float, infinite where it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def identifier(text: str) -> str:
    """The token of an identifier that a text speaks of as one (`file 13`, `#13`)."""
    return "i:" + fold(text).strip()


def keyed(text: str) -> str:
    """The token of a whole field, which is an identifier if the field's name says so."""
    return "k:" + fold(text).strip()


def day_tokens(text: str) -> frozenset[str]:
    """The days and clock times in `text`, as `d:` and `c:` tokens."""
    found: set[str] = set()
    _days(fold(text), found)
    return frozenset(found)


def name_tokens(name: str) -> frozenset[str]:
    """The words of a field's or argument's name: `fileId` and `file_id` give file, id."""
    return frozenset(in_order(name))


def in_order(name: str) -> list[str]:
    """The same, in order."""
    return words(re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " "))


def _numbers(folded: str, found: set[str]) -> None:
    before = len(found)
    _days(folded, found)
    if len(found) > before:
        for date in (_ISO, _DAY_RANGE, _MONTH_DAY, _DAY_MONTH, _CLOCK):
            folded = date.sub(" ; ", folded)
    for match in _LONG_NUMBER.finditer(folded):
        found.add("a:" + _SECURE_SPACES.sub("", match[0]))
    for match in _NUMBERED.finditer(folded):
        found |= {"i:" + digits for digits in _DIGITS.findall(match[1])}
    for match in _NUMBER.finditer(_NUMBERED.sub(" ; ", folded)):
        found.add(amount(float(match[0].replace(",", ""))))
    for match in _MULTIPLIED.finditer(folded):
        found.add(amount(float(match[1]) * _MULTIPLE[match[2].lower()]))
    for match in _IDENTIFIED.finditer(folded):
        name = match[1] or match[2] or match[3]
        if any(c.isdigit() for c in name):
            found.add("i:" + name)


def _days(folded: str, found: set[str]) -> None:
    for match in _ISO.finditer(folded):
        found.add(f"d:{int(match[2]):02d}-{int(match[3]):02d}")
    if any(month in folded for month in _MONTHS):
        _named_months(folded, found)
    for match in _CLOCK.finditer(folded):
        found.add(f"c:{int(match[1]):02d}:{match[2]}")


def _named_months(folded: str, found: set[str]) -> None:
    for match in _MONTH_DAY.finditer(folded):
        found.add(f"d:{_MONTHS[match[1][:3]]:02d}-{int(match[2]):02d}")
    for match in _DAY_MONTH.finditer(folded):
        found.add(f"d:{_MONTHS[match[2][:3]]:02d}-{int(match[1]):02d}")
    for match in _DAY_RANGE.finditer(folded):
        for group in (1, 2):
            found.add(f"d:{_MONTHS[match[3][:3]]:02d}-{int(match[group]):02d}")
