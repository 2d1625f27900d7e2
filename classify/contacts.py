"""E-mail addresses, also as they are spoken or disguised, and IP addresses."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from classify.spans import Kind
from classify.view import View

_AT: Final = re.compile(r"@|%40")
_LOCAL: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-'")
_DOMAIN: Final = re.compile(r"[^\W_](?:[\w-]{0,62})(?:\.[^\W_][\w-]{0,62}){1,8}")
_SPOKEN_AT: Final = re.compile(
    r"(?i)\s?[\[(<{]\s?(?:at|arroba|arobase)\s?[\])>}]\s?|\s(?:at|arobase|arroba)\s"
)
_DOT: Final = (
    r"(?:\s?[\[({]\s?(?:dot|point|punto|punkt)\s?[\])}]\s?|\s(?:dot|point|punto|punkt)\s|\.)"
)
_SPOKEN_DOMAIN: Final = re.compile(rf"(?i)[a-z0-9-]{{1,63}}(?:{_DOT}[a-z0-9-]{{2,63}}){{1,4}}")
_SPOKEN_LOCAL: Final = re.compile(
    rf"(?i)(?<![\w.+-])[\w+-]{{1,40}}(?:(?:{_DOT}|\s(?:dash|minus|underscore|tiret)\s)[\w+-]{{1,40}}){{0,4}}$"
)
_MAX_LOCAL: Final = 64

_IPV4: Final = re.compile(
    r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)"
)
_IPV6: Final = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")
_NUMBERED: Final = re.compile(
    r"(?i)(?:versions?|release[ds]?|firmware|driver|build|section|table|chapter|clause|bios|(?<![a-z])v)"
    r"[\s.:]{0,2}$"
)


def emails(view: View) -> Iterator[tuple[int, int, Kind]]:
    """E-mail addresses, written plainly, percent-encoded, spoken or disguised."""
    text = view.text
    for match in _AT.finditer(text):
        start = match.start()
        floor = max(0, start - _MAX_LOCAL)
        while start > floor and (text[start - 1] in _LOCAL or text[start - 1].isalpha()):
            start -= 1
        while start < match.start() and text[start] in ".'-":
            start += 1
        domain = _DOMAIN.match(text, match.end())
        if domain and start < match.start():
            yield start, domain.end(), Kind.EMAIL
    for match in _SPOKEN_AT.finditer(text):
        domain = _SPOKEN_DOMAIN.match(text, match.end())
        if domain is None:
            continue
        floor = max(0, match.start() - 3 * _MAX_LOCAL)
        local = _SPOKEN_LOCAL.search(text[floor : match.start()])
        if local and ("." not in domain[0] or _disguised(match[0]) or _disguised(local[0])):
            yield floor + local.start(), domain.end(), Kind.EMAIL


def ip_addresses(view: View) -> Iterator[tuple[int, int, Kind]]:
    """IPv4 and IPv6 addresses; what a word before calls a version, or its like, is none."""
    text = view.text
    found = list(_IPV4.finditer(text))
    versions = {
        _network(match[0])
        for match in found
        if _NUMBERED.search(text[max(0, match.start() - 12) : match.start()])
    }
    for match in found:
        if _network(match[0]) not in versions:
            yield *match.span(), Kind.IP
    if ":" not in text:
        return
    for match in _IPV6.finditer(text):
        if len(match[0]) >= 6 and any(map(str.isdigit, match[0])):
            try:
                ipaddress.IPv6Address(match[0])
            except ValueError:
                continue
            yield *match.span(), Kind.IP


def _network(address: str) -> str:
    return address.rsplit(".", 2)[0]


def _disguised(words: str) -> bool:
    return any(char in "[({<" for char in words) or " dot " in words
