"""Names that imitate a known one: letters that look alike, typing errors, names inside names.

The forms are those that studies of abuse find: homographs (UTS 39), typosquatting, and above
all the known name with a word or another domain around it (combosquatting: Kintis et al.,
CCS 2017). A name is compared with what its owner registered; anything under a known
registration is its owner's own. Short names are compared whole or not at all.
"""

import re
from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct
from rapidfuzz import process
from rapidfuzz.distance import OSA

from sidecar.destinations.names import is_address, registrable, unicode_form
from sidecar.destinations.skeletons import joined, skeleton
from sidecar.destinations.words import BAIT, COMMON

# Names shorter than these are too common for the rule in question.
SWAP_FROM: Final = 3
SKELETON_FROM: Final = 4
TOKEN_FROM: Final = 4
FLAT_FROM: Final = 6
GLUED_FROM: Final = 5
SLIP_FROM: Final = 5
LETTER_FROM: Final = 6
FIRST_LETTER_FROM: Final = 8
TWO_SLIPS_FROM: Final = 10

# Letters at either end by which words that cannot hold a known name are passed over.
ENDS: Final = 3
# A known name may be taken apart into so many words.
MAX_RUN: Final = 4

# Pairs that the eye swaps in small print, beyond those that the skeleton makes one.
_PAIRS: Final = "aq bd bh bp cd ce co eo ft gp gq gy hn ij it jl kx lt mn nr nu pq sz uv vy"
_NEAR: Final = frozenset(frozenset(pair) for pair in _PAIRS.split())
_DIGITS: Final = str.maketrans("", "", "0123456789")
_TOKENS: Final = re.compile(r"[.-]")


class KnownDomains(Struct, frozen=True):
    """Known domains, prepared for comparing: made once by `known_domains`, used often.

    `owners` are the registered domains. The others lead to one of them: from known hosts,
    from registered names as spelled, from their skeletons, and from the skeletons of whole
    domains without dots. `spelled` and `seen` list names and skeletons by the lengths of what
    could be a typing error for them; `ends` are the first and last letters of skeletons.
    """

    owners: frozenset[str]
    domains: Mapping[str, str]
    names: Mapping[str, str]
    skeletons: Mapping[str, str]
    flat: Mapping[str, str]
    spelled: Mapping[int, tuple[str, ...]]
    seen: Mapping[int, tuple[str, ...]]
    ends: frozenset[str]
    most_labels: int


class Imitation(Struct, frozen=True):
    """The known domain that a name imitates, and how, in words."""

    known: str
    how: str


def known_domains(hosts: Collection[str]) -> KnownDomains:
    """Prepare canonical `hosts`. Addresses and names of a single label are left out.

    Where two are alike the first in alphabetical order is named.
    """
    owners = sorted({registrable(host) for host in hosts if "." in host and not is_address(host)})
    domains = {host: registrable(host) for host in sorted(hosts) if registrable(host) in owners}
    domains |= {owner: owner for owner in owners}
    names: dict[str, str] = {}
    skeletons: dict[str, str] = {}
    flat: dict[str, str] = {}
    for owner in owners:
        name = _name(owner)
        names.setdefault(name, owner)
        skeletons.setdefault(skeleton(name), owner)
        flat.setdefault(skeleton(_squeezed(unicode_form(owner))), owner)
    return KnownDomains(
        frozenset(owners),
        domains,
        names,
        skeletons,
        flat,
        _near_lengths(names),
        _near_lengths(skeletons),
        frozenset(end for look in skeletons for end in (look[:ENDS], look[-ENDS:])),
        max((domain.count(".") + 1 for domain in domains), default=0),
    )


def look_alike(host: str, known: KnownDomains) -> str | None:
    """The known domain that a canonical `host` imitates without being it, or None."""
    found = imitation(host, known)
    return found.known if found is not None else None


def imitation(host: str, known: KnownDomains) -> Imitation | None:
    """What `look_alike` finds, with how it was found."""
    owner = registrable(host)
    if owner in known.owners or is_address(host) or "." not in host:
        return None
    return (
        _as_a_whole(owner, known) or _by_a_slip(_name(owner), known) or _inside(host, owner, known)
    )


def _as_a_whole(owner: str, known: KnownDomains) -> Imitation | None:
    """The registered name is a known one but for the suffix, hyphens, or the look of letters."""
    name = _name(owner)
    if (same := known.names.get(name)) is not None and len(name) >= SWAP_FROM:
        return Imitation(same, "the same name, registered under another suffix or hyphenation")
    alike = known.skeletons.get(skeleton(name))
    longer = max(len(name), len(_name(alike))) if alike is not None else 0
    if alike is not None and (longer >= SKELETON_FROM or not name.isascii()):
        return Imitation(alike, "letters that look the same")
    return None


def _by_a_slip(name: str, known: KnownDomains) -> Imitation | None:
    """The registered name is a typing error away from a known one, as spelled or as seen."""
    look = skeleton(name)
    for text, choices, owners in (
        (name, known.spelled, known.names),
        (look, known.seen, known.skeletons),
    ):
        near = choices.get(len(text), ())
        for other, distance, _ in process.extract(
            text, near, scorer=OSA.distance, score_cutoff=2, limit=None
        ):
            owner = owners[other]
            if _is_slip(text, other, int(distance)) and not _numbered(name, _name(owner)):
                return Imitation(owner, "a letter or two apart")
    if not look.isascii():
        for other in known.seen.get(len(look), ()):
            if _is_veiled(look, other):
                return Imitation(known.skeletons[other], "foreign letters among its own")
    return None


def _is_veiled(look: str, known: str) -> bool:
    """Whether at most half of a known name's letters were changed, each to no Latin one."""
    if len(look) != len(known):
        return False
    apart = [letter for letter, meant in zip(look, known, strict=True) if letter != meant]
    return 2 * len(apart) <= len(known) and not any(letter.isascii() for letter in apart)


def _is_slip(text: str, known: str, distance: int) -> bool:
    """Whether so small a distance between such names is imitation rather than chance."""
    length = len(known)
    if distance == 2:
        return length >= TWO_SLIPS_FROM and text[0] == known[0]
    if len(text) == length:
        apart = [pair for pair in zip(text, known, strict=True) if pair[0] != pair[1]]
        if len(apart) != 1:
            return True
        if frozenset(apart[0]) in _NEAR or length >= FIRST_LETTER_FROM:
            return True
        return length >= LETTER_FROM and text[0] == known[0]
    shorter, longer = sorted((text, known), key=len)
    doubled = any(
        longer[at] == longer[at + 1] and longer[:at] + longer[at + 1 :] == shorter
        for at in range(len(shorter))
    )
    return doubled or length >= LETTER_FROM


def _numbered(name: str, known: str) -> bool:
    """Whether the two differ in a number alone, as `studio54` and `studio64` do."""
    plain = name.translate(_DIGITS)
    return len(plain) < len(name) and plain != known and plain == known.translate(_DIGITS)


def _near_lengths(texts: Collection[str]) -> dict[int, tuple[str, ...]]:
    """By the length of a name, the texts whose length is at most two off; short ones left out."""
    near: dict[int, list[str]] = {}
    for text in texts:
        if len(text) >= SLIP_FROM:
            for length in range(len(text) - 2, len(text) + 3):
                near.setdefault(length, []).append(text)
    return {length: tuple(listed) for length, listed in near.items()}


def _inside(host: str, owner: str, known: KnownDomains) -> Imitation | None:
    """A known domain or name is a part of another owner's name."""
    labels = host.split(".")
    for start in range(len(labels) - 2):
        for end in range(start + 2, min(len(labels), start + known.most_labels + 1)):
            if (whole := known.domains.get(".".join(labels[start:end]))) is not None:
                return Imitation(whole, "the known domain, as part of another owner's name")
    suffix = owner.partition(".")[2]
    tokens = _TOKENS.split(unicode_form(host.removesuffix("." + suffix)))
    looks = [skeleton(token) for token in tokens]
    for start in range(len(looks)):
        look = ""
        for end in range(start + 1, min(len(looks), start + MAX_RUN) + 1):
            look = joined(look, looks[end - 1])
            if len(look) >= FLAT_FROM and (flat := known.flat.get(look)) is not None:
                return Imitation(flat, "the known domain with its dots left out")
            part = known.skeletons.get(look)
            if part is not None and _tells(_name(part), tokens[:start] + tokens[end:], end - start):
                return Imitation(part, "the known name beside other words")
    for token, look in zip(tokens, looks, strict=True):
        if look[:ENDS] not in known.ends and look[-ENDS:] not in known.ends:
            continue
        if (glued := _glued(token, known)) is not None:
            return Imitation(glued, "the known name and a service's word in one")
    return None


def _tells(name: str, beside: list[str], parts: int) -> bool:
    """Whether a known name, made of so many parts, tells of its owner with `beside` around it."""
    if name in COMMON:
        return False
    if not beside:
        return parts > 1 and len(name) >= TOKEN_FROM
    return len(name) >= TOKEN_FROM or (len(name) >= SWAP_FROM and BAIT.issuperset(beside))


def _glued(token: str, known: KnownDomains) -> str | None:
    for at in range(2, len(token) - 1):
        head, tail = token[:at], token[at:]
        for name, word in ((head, tail), (tail, head)):
            if word in BAIT and len(name) >= GLUED_FROM:
                owner = known.skeletons.get(skeleton(name))
                if owner is not None and _name(owner) not in COMMON:
                    return owner
    return None


def _name(owner: str) -> str:
    """The registered label as people see it, without hyphens."""
    return unicode_form(owner.partition(".")[0]).replace("-", "")


def _squeezed(text: str) -> str:
    return text.replace("-", "").replace(".", "")
