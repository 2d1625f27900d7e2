"""The values in a text that can steer an action, each with its type and in one spelling.

A value is compared by type: `13` of `file 13` is an identifier, of `June 13` part of a date,
of `13.00 EUR` an amount. A token is a short string `kind:canonical`, so that sets and maps
of values stay small.
"""

import re
from functools import lru_cache
from typing import Final

from sidecar.destinations.names import canonical
from sidecar.gate.days import DIGITS, days_in, digit_runs, without_days
from sidecar.gate.glance import foreign
from sidecar.gate.normal import fold, words, words_of

EMAIL: Final = re.compile(r"[\w][\w.!#$%&*+/=?^{|}~-]{0,63}@(?:[\w-]{1,63}\.)+[\w-]{1,62}\w")
URL: Final = re.compile(
    r"(?:https?://|ftp://|www\.)[^\s<>\"'`)\]}|]{3,2000}"
    r"|\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,16}(?:com|net|org|io|ai|co|dev|app|info|biz|ru|cn|"
    r"ly|me|gl|uk|de|fr|eu|xyz|site|online|top|cloud|link|click|example|test)\b(?:/[^\s<>\"'`)\]}|]*)?"
)
_SCHEMED: Final = re.compile(r"(?:https?|ftp)://[^\s<>\"'`)\]}|]{3,2000}")
_DOTTED: Final = re.compile(r"\.(?:(?=[a-z])|(?<=www\.))")
"""What every `URL` without a scheme has: no amount's point is one."""
_ACCOUNT: Final = re.compile(
    r"\b[a-z]{2}\d{2}(?:[a-z0-9]{8,30}|(?:[ -][a-z0-9]{4}){2,7}(?:[ -][a-z0-9]{1,3})?)\b"
)
_LONG_NUMBER: Final = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){6,30}(?![\w-]|[.,]\d)")
_NUMBER: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_MULTIPLE: Final = {"k": 1_000, "m": 1_000_000, "thousand": 1_000, "million": 1_000_000}
_MULTIPLIED: Final = re.compile(r"(\d{1,18}(?:\.\d{1,9})?) ?(k|m|thousand|million)\b")
_IDENTIFIED: Final = re.compile(
    r"\b(?:ids?|no|nr|num|numbers?|ref|reference|code|ticket|case|record|key)\b\W{0,4}"
    r"(?:of\W|is\W|with\W|=\W?|:\W?)?\W{0,3}([a-z0-9][a-z0-9_-]{0,62})"
    r"|#([a-z0-9][a-z0-9_-]{0,62})|['\"`]([a-z0-9][a-z0-9_-]{0,15})['\"`]"
)
_IDENTIFYING: Final = frozenset(
    "id ids no nr num number numbers ref reference code ticket case record key".split()  # noqa: SIM905
)
"""The words of `_IDENTIFIED`."""
_NUMBERED: Final = frozenset(
    """invoice order file ticket case event deal record task issue bill booking reservation
    contract project version room week page line section chapter part quote item employee
    customer user message email mail document row step flight gate seat transaction payment
    appointment meeting lead opportunity contact account claim asset device server pr po rfc
    job batch lot shipment parcel form question slide table figure release build sprint epic
    story candidate entry note product model unit floor building level phase stage option
    request""".split()  # noqa: SIM905
)
_LISTED: Final = re.compile(r"\d{1,9}(?:(?:, ?| and | or |, and )#?\d{1,9})*\b(?![.,]\d)")
_PRICED: Final = re.compile(
    r"\d{1,9}(?:,\d{3})*(?:\.\d+)? ?"
    r"(?:[%\u20ac$\u00a3]|(?:eur|usd|gbp|chf|sek|euros?|dollars?|pounds?|francs|percent)\b)"
)
"""How much, and not which: an invoice of 1,250 EUR."""
_OF_PRICES: Final = frozenset(",.%\u20ac$\u00a3eugcsdpf")
"""What goes on after a price's first digits, and a blank."""
_NOUN_REACH: Final = 24
_WORDS: Final = re.compile(r"\w+")
_FEWEST_LONG: Final = 7
"""The digits of the shortest `_LONG_NUMBER`."""
_NOT_SMALL: Final = re.compile(
    r"[0-9](?:[0-9]{3}|[0-9]{0,2}(?:,[0-9]|(?:\.[0-9]+)? ?(?:[km]\b|thousand|million)|\.[0-9]{3})"
    r"|(?:[ -]?[0-9]){6}|(?<=[a-z][a-z].)[0-9])"
)
"""What an amount of four digits or an account of ASCII digits has: four digits together, digits in
groups or that a word multiplies, three past the point (999.995 is 1000.00), seven of them with
blanks between, letters before them.
"""
_SECURE_SPACES: Final = re.compile(r"[ -]")


@lru_cache(maxsize=1024)
def tokens(text: str) -> frozenset[str]:
    """All typed values in `text`: `e:` mailboxes, `u:` URLs, `h:` hosts, `a:` accounts and
    other long numbers, `n:` amounts, `d:` days (`mm-dd`), `c:` clock times, `i:` identifiers.
    """
    folded = fold(text)
    found: set[str] = set()
    if "://" in folded and "@" in folded:
        # An `@` does not make a mailbox of a link: `https://user@host/`, `https://host/@user`.
        for match in _SCHEMED.finditer(folded):
            found |= address(match[0])
    if "@" in folded:
        for match in EMAIL.finditer(folded):
            found |= mailbox(match[0])
        folded = EMAIL.sub(" ", folded)
    if ("." in folded and _DOTTED.search(folded)) or "://" in folded:
        for match in URL.finditer(folded):
            found |= address(match[0])
    runs = digit_runs(folded)
    if runs:
        _numbers(folded, runs, found)
    return frozenset(found)


@lru_cache(maxsize=1024)
def telling_tokens(text: str) -> frozenset[str]:
    """`tokens`, or none of them where none can be a mailbox, a link, an account or an amount of
    four digits: small numbers, days and hours are not worth looking for where only those count.
    """
    folded = fold(text)
    small = (
        (folded.isascii() or not any(map(str.isdecimal, foreign(folded))))
        and "@" not in folded
        and "://" not in folded
        and not ("." in folded and _DOTTED.search(folded))
        and not _NOT_SMALL.search(folded)
    )
    return frozenset() if small else tokens(text)


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
    rest = re.sub(r"^[a-z][a-z0-9+.-]*:/+", "", text.strip()).rstrip(".,;:!?)'\"")
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


def name_tokens(name: str) -> frozenset[str]:
    """The words of a field's or argument's name: `fileId` and `file_id` give file, id."""
    return frozenset(in_order(name))


def in_order(name: str) -> list[str]:
    """The same, in order."""
    return words(re.sub(r"([a-z])([A-Z])", r"\1 \2", name).replace("_", " "))


def _numbers(folded: str, runs: list[tuple[int, int]], found: set[str]) -> None:
    """The values with digits in them. What follows a run of digits tells most patterns off."""
    if _after_letters(folded, runs):
        for match in _ACCOUNT.finditer(folded):
            found.add("a:" + _SECURE_SPACES.sub("", match[0]))
        folded = _ACCOUNT.sub(" ; ", folded)
        runs = digit_runs(folded)
    said = words_of(folded)
    spans = days_in(folded, said, runs, found)
    if spans:
        folded = without_days(folded, spans)
        runs, said = digit_runs(folded), words_of(folded)
    many_digits = sum([end - start for start, end in runs]) >= _FEWEST_LONG
    long_to = counted_to = multiplied_to = 0
    for start, end in runs:
        if many_digits and start >= long_to and (long := _LONG_NUMBER.match(folded, start)):
            found.add("a:" + _SECURE_SPACES.sub("", long[0]))
            long_to = long.end()
        after = folded[end : end + 2]
        if start >= counted_to:
            which = _follows_noun(folded, start) and not _is_priced(folded, start, after)
            listed = _listed(folded, start, found) if which else 0
            counted_to = listed or _amount(folded, start, end, found)
        multiplied = after[:1] in ".kmt" or after in (" k", " m", " t")
        if multiplied and start >= multiplied_to and _begins(folded, start):
            if many := _MULTIPLIED.match(folded, start):
                found.add(amount(float(many[1]) * _MULTIPLE[many[2]]))
                multiplied_to = many.end()
    quotes = sum(map(folded.count, "'\"`"))
    if "#" in folded or quotes > 1 or not _IDENTIFYING.isdisjoint(said):
        for match in _IDENTIFIED.finditer(folded):
            name = match[1] or match[2] or match[3]
            if any(c.isdigit() for c in name):
                found.add("i:" + name)


def _after_letters(folded: str, runs: list[tuple[int, int]]) -> bool:
    """Whether a run of digits follows two letters."""
    for start, _ in runs:
        if start > 1 and folded[start - 1].isalpha() and folded[start - 2].isalpha():
            return True
    return False


def _is_priced(folded: str, start: int, after: str) -> bool:
    """Whether the number at `start` is how much. `after` is what stands behind its first digits."""
    return after.removeprefix(" ")[:1] in _OF_PRICES and _PRICED.match(folded, start) is not None


def _listed(folded: str, start: int, found: set[str]) -> int:
    """The identifiers listed at `start`, where their list ends; 0 if there is none."""
    listed = _LISTED.match(folded, start)
    if listed is None:
        return 0
    found |= {"i:" + digits for digits in DIGITS.findall(listed[0])}
    return listed.end()


def _amount(folded: str, start: int, end: int, found: set[str]) -> int:
    """The amount written at `start`, if one is; where it ends. Its first digits end at `end`."""
    if folded[end : end + 1] not in (",", "."):
        said = folded[start:end]
    else:
        match = _NUMBER.match(folded, start)
        if match is None:
            return start
        end, said = match.end(), match[0].replace(",", "")
        sign = folded[start - 1] if start else " "
        if sign in "+-" and "," in match[0]:
            start, said = start - 1, sign + said
    if _begins(folded, start):
        found.add(f"n:{float(said):.2f}")
    return end


def _begins(folded: str, start: int) -> bool:
    """Whether what is at `start` goes on no word, code or number."""
    return not start or not (folded[start - 1].isalnum() or folded[start - 1] in "_.,")


def _follows_noun(folded: str, start: int) -> bool:
    """Whether a number at `start` is which one of a kind: `file 13`, `invoices of 13 and 14`."""
    start -= folded[start - 1 : start] == "#"
    if not start or folded[start - 1] != " ":
        return False
    before, blank, last = folded[max(0, start - _NOUN_REACH) : start - 1].rpartition(" ")
    if last in ("of", "is", "with") and blank:
        last = before.rpartition(" ")[2]
    if last.isalnum():
        noun = last
    else:
        said = _WORDS.findall(last)
        noun = said[-1] if said and last.endswith(said[-1]) else ""
    return noun in _NUMBERED or (noun[-1:] == "s" and noun[:-1] in _NUMBERED)
