"""Policies as a person compares them: the versions on record, what changed, what is wrong.

Pure. A version's digest is that of its `policy.set` event, so that it names the signed
record and not merely its text.
"""

from typing import Any

import msgspec
from msgspec import Struct

from bus.decider import Recorded
from schemas.compensation import problem_of
from schemas.runs import PolicySet
from schemas.sections import BadSettings
from schemas.tools import Effect, Policy


class Version(Struct, frozen=True, kw_only=True):
    """A policy on record. `at` is ns since the Unix epoch; `by` is the signing instance."""

    index: int
    digest: bytes
    by: str
    at: int
    policy: Policy


class Change(Struct, frozen=True, kw_only=True):
    """One key whose value differs; None stands for a key that is not there."""

    key: str
    before: Any
    after: Any


class Looks(Struct, frozen=True):
    """What a watcher knows of a file: its `text` at the last look (None where it could not be
    read), the `taken` text that was last acted on, and whether now is the time to act.
    """

    text: bytes | None = None
    taken: bytes | None = None
    settled: bool = False


def looked(before: Looks, text: bytes | None) -> Looks:
    """After one more look. A text counts once, when two looks in a row found it: an editor that
    is writing has not come to its end.
    """
    settled = text is not None and text == before.text and text != before.taken
    return Looks(text, text if settled else before.taken, settled)


def versions(past: list[Recorded]) -> list[Version]:
    """Every policy the ledger holds, oldest first."""
    return [
        Version(
            index=entry.index,
            digest=entry.digest,
            by=entry.event.actor.instance,
            at=entry.event.at,
            policy=entry.event.body.policy,
        )
        for entry in past
        if isinstance(entry.event.body, PolicySet)
    ]


def changes(before: Policy, after: Policy) -> list[Change]:
    """Where `after` differs, by dotted key, in order; the version itself does not count."""
    old, new = _flat(before), _flat(after)
    return [
        Change(key=key, before=old.get(key), after=new.get(key))
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def checked(policy: Policy) -> Policy:
    """`policy`, where its parts agree with each other. Raises `BadSettings`, naming the key."""
    names = [tool.name for tool in policy.tools]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadSettings(f"policy.tools names {', '.join(twice)} twice", fix="name each tool once")
    stray = sorted(set(policy.per_tool) - set(names))
    if stray:
        raise BadSettings(
            f"policy.per_tool.{stray[0]} is for a tool that policy.tools does not list",
            fix=f"add {stray[0]} to policy.tools, or remove its ceilings",
        )
    odd = sorted(set(policy.passkey) - set(names) - {effect.value for effect in Effect})
    if odd:
        raise BadSettings(
            f"policy.passkey names {odd[0]}, which is no effect and no tool of policy.tools",
            fix=f"choose among {', '.join(effect.value for effect in Effect)}, or the tools",
        )
    for tool in policy.tools:
        wrong = problem_of(tool.compensation) if tool.compensation is not None else ""
        if wrong:
            raise BadSettings(
                f"the compensation of {tool.name}: argument {wrong}",
                fix="write /arguments/NAME or /result/NAME",
            )
    if policy.allowlist_only and not policy.destinations:
        raise BadSettings(
            "policy.allowlist_only is set, but policy.destinations is empty",
            fix="list the destinations that may be reached, or unset allowlist_only",
        )
    entries = [entry.destination for entry in policy.destinations]
    again = sorted({entry for entry in entries if entries.count(entry) > 1})
    if again:
        raise BadSettings(
            f"policy.destinations lists {again[0]} twice", fix="keep the entry that counts"
        )
    for domain in policy.organisation:
        if not domain or "@" in domain:
            raise BadSettings(
                f"policy.organisation: {domain!r} is no domain", fix="write boeing.example, no @"
            )
    return policy


def _flat(policy: Policy) -> dict[str, Any]:
    plain = msgspec.to_builtins(policy)
    del plain["version"]
    plain["tool"] = {tool.pop("name"): tool for tool in plain.pop("tools")}
    found: dict[str, Any] = {}
    _flatten("policy", plain, found)
    return found


def _flatten(prefix: str, value: Any, found: dict[str, Any]) -> None:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            _flatten(f"{prefix}.{key}", inner, found)
    else:
        found[prefix] = value
