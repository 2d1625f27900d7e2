"""Layer 10, destination: it is who it says it is, it may be reached, and it still is whose it was.

Where nobody can be sure which host a value names, it is refused. Look-alikes of known domains,
mixed scripts, punycode, bare IP addresses and tags in a known mailbox's address are held. An
entry of the allowlist counts until it expires and while its domain's ownership, watched by
`sidecar.destinations`, is unchanged.
"""

from functools import lru_cache

from schemas.actions import LayerResult
from schemas.tools import AllowedDestination, Policy, Tool
from sidecar.destinations.schedule import Standing, judge
from sidecar.gate.domains import (
    Imitation,
    KnownDomains,
    address_of,
    host_of,
    imitation,
    is_address,
    known_domains,
    mixed_scripts,
)
from sidecar.gate.outcome import Case, Word, hold, passed, refuse
from sidecar.gate.parts import Audience, destinations, inside_organisation
from sidecar.gate.wish import Wish


def destination(case: Case) -> Word:
    """The worst word on any destination."""
    tool, given, wish, policy = case.tool, case.arguments, case.wish, case.policy
    if tool is None or given is None or wish is None or policy is None:
        return refuse("there is no destination to look at")
    reached = destinations(case.said)
    if not reached:
        return passed("it leads nowhere")
    outside = case.seen is Audience.OUTSIDE
    known = _known(policy, wish)
    held: Word | None = None
    for value in reached:
        word = _one(case, tool, policy, wish, known, value, outside)
        if word is None:
            continue
        if word.result is LayerResult.REFUSE:
            return word
        held = held or word
    return held or passed(f"{len(reached)} destinations")


def _one(
    case: Case,
    tool: Tool,
    policy: Policy,
    wish: Wish,
    known: frozenset[str],
    value: str,
    outside: bool,
) -> Word | None:
    if inside_organisation(value, policy):
        return None
    named_host = "@" in value or "//" in value or "." in value.strip().rstrip(".")
    if not named_host:
        return _unlisted(policy, value) if outside and policy.allowlist_only else None
    host = host_of(value)
    if host is None:
        if "@" not in value and "//" not in value and " " in value.strip():
            return _unlisted(policy, value) if outside and policy.allowlist_only else None
        return refuse("nobody can be sure where a destination leads", fix="write it plainly")
    entry = _entry(policy, value, host)
    if entry is not None:
        return _listed(case, policy, entry)
    if outside and policy.allowlist_only:
        return _unlisted(policy, value)
    copied = _imitated(host, known)
    if copied is not None:
        return hold(
            "a destination looks like one that is known, and is another",
            evidence=f"it imitates {copied.known}: {copied.how}",
            fix="compare letter by letter, then approve",
        )
    plain = f"h:{host}" in wish.tokens or f"h:{host.removeprefix('www.')}" in wish.tokens
    if not plain and is_address(host):
        return hold("a destination is a bare network address", fix="check it, then approve")
    if not plain and (host.startswith("xn--") or ".xn--" in host or mixed_scripts(host)):
        return hold("a destination's name is not in plain letters", fix="check, then approve")
    box = address_of(value)
    if box is not None and box.tag and f"{box.local}+{box.tag}@" not in wish.intent.summary.lower():
        if f"e:{box.local}@{box.host}" in wish.tokens:
            return hold("a tag was added to an address", fix="check what it carries, then approve")
    return None


def _listed(case: Case, policy: Policy, entry: AllowedDestination) -> Word | None:
    if entry.expires and case.now >= entry.expires:
        return refuse("the allowlist entry has expired", fix="renew it in the policy")
    if not entry.owned:
        return None
    watched = case.owned.get(_domain_of(entry))
    if watched is None:
        return refuse(
            "who owns a destination has not been looked up yet",
            fix="wait for the next look, or see why it fails",
        )
    found = judge(watched, None, case.now, policy.revalidate_s)
    if found.standing is Standing.ALIVE:
        return None
    if found.standing is Standing.UNVERIFIED:
        return hold("a destination's ownership was not verified lately", evidence=found.reason)
    return refuse(f"a destination is {found.standing.value}", evidence=found.reason[:300])


def _unlisted(policy: Policy, value: str) -> Word:
    return refuse(
        "a destination is not on the workspace's allowlist",
        evidence=f"{len(policy.destinations)} entries",
        fix="add it to the policy",
    )


def _entry(policy: Policy, value: str, host: str) -> AllowedDestination | None:
    if not policy.destinations:
        return None
    box = address_of(value)
    written = f"{box.local}@{box.host}" if box is not None else value.strip().casefold()
    for entry in policy.destinations:
        allowed = entry.destination.casefold()
        if allowed in (written, f"@{host}", host):
            return entry
    return None


def _domain_of(entry: AllowedDestination) -> str:
    return entry.destination.casefold().rpartition("@")[2]


def _known(policy: Policy, wish: Wish) -> frozenset[str]:
    known = _hosts(wish.tokens, policy.organisation)
    return known.union(map(_domain_of, policy.destinations)) if policy.destinations else known


@lru_cache(maxsize=256)
def _hosts(named: frozenset[str], organisation: tuple[str, ...]) -> frozenset[str]:
    return frozenset(token[2:] for token in named if token.startswith("h:")).union(organisation)


@lru_cache(maxsize=1024)
def _imitated(host: str, known: frozenset[str]) -> Imitation | None:
    """What `host` imitates. Itself is left out: a name does not vouch for itself."""
    return imitation(host, _prepared(known - {host, host.removeprefix("www.")}))


@lru_cache(maxsize=256)
def _prepared(hosts: frozenset[str]) -> KnownDomains:
    return known_domains(hosts)
