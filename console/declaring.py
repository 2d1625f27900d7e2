"""From a workspace's settings to the policy they describe: checked, and named by key where wrong.

Pure but for the connectors' description files, which are read from `base`. The sidecar's parts are
imported where a policy needs them: the command line would wait for all of them otherwise.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from console.policies import checked
from console.tightening import tightened
from schemas.names import SECOND
from schemas.patterns import Pattern
from schemas.sections import BadSettings
from schemas.settings import DestinationSettings, PolicySettings, Settings
from schemas.tools import AllowedDestination, Effect, Policy, Tool

_HERE: Final = Path()


def policy_of(settings: Settings, version: int, base: Path = _HERE) -> Policy:
    """The policy that the settings describe, with the connectors' files under `base`.

    Raises `BadSettings`, naming the key.
    """
    from sidecar.connectors.opening import declared_tools

    declared = {tool.name: tool for tool in declared_tools(settings.connectors, base)}
    stray = sorted(set(settings.policy.tool) - set(settings.policy.tools))
    if stray:
        raise BadSettings(
            f'policy.tool."{stray[0]}" is about a tool that policy.tools does not list',
            fix=f"add {stray[0]} to policy.tools, or remove the section",
        )
    unknown = [name for name in settings.policy.tools if name not in declared]
    if unknown:
        raise BadSettings(
            f"policy.tools names {', '.join(unknown)}, which no connector declares",
            fix=f"choose among {', '.join(sorted(declared))}",
        )
    chosen = settings.policy
    policy = Policy(
        version=version,
        tools=tuple(_tool(declared[name], chosen) for name in chosen.tools),
        organisation=chosen.organisation,
        agents=tuple(sorted(settings.agents)),
        human_effects=chosen.human_effects,
        four_eyes=chosen.four_eyes,
        passkey=_passkey(settings),
        max_ttl_s=chosen.max_ttl_s,
        max_actions=chosen.max_actions,
        skew_s=chosen.skew_s,
        verdict_s=chosen.verdict_s,
        approval_s=chosen.approval_s,
        park_s=chosen.park_s,
        reviewer=settings.judge.model if settings.judge is not None else "",
        destinations=_destinations(chosen.destinations),
        allowlist_only=chosen.allowlist_only,
        revalidate_s=chosen.revalidate_s,
        fresh_s=chosen.fresh_s,
        per_run=chosen.per_run,
        per_tool=chosen.per_tool,
        per_day=chosen.per_day,
        pace=chosen.pace,
        rules=_rules(chosen.rules),
        patterns=_patterns(chosen.patterns),
    )
    return checked(policy)


def _passkey(settings: Settings) -> tuple[str, ...]:
    """What is approved by passkey. Raises `BadSettings` where nobody could ever give one."""
    chosen, console = settings.policy.passkey, settings.console
    if chosen is None:
        return (Effect.PAYMENT.value,) if console is not None else ()
    if chosen and console is None:
        raise BadSettings(
            "policy.passkey is set, and there is no console to approve in",
            fix="add [console], or remove policy.passkey",
        )
    return chosen


def _tool(tool: Tool, chosen: PolicySettings) -> Tool:
    own = chosen.tool.get(tool.name)
    return tightened(tool, own) if own is not None else tool


def _patterns(own: tuple[Pattern, ...]) -> tuple[Pattern, ...] | None:
    """The built-in patterns and the workspace's own; None for the built-in alone."""
    if not own:
        return None
    from sidecar.supervision.patterns import DEFAULT_PATTERNS

    named = {pattern.name: pattern for pattern in (*DEFAULT_PATTERNS, *own)}
    return tuple(named.values())


def _destinations(entries: tuple[DestinationSettings, ...]) -> tuple[AllowedDestination, ...]:
    """The allowlist in normal form, each entry once. Raises `BadSettings` naming the key."""
    from sidecar.destinations.entries import BadEntry, normal

    found: dict[str, AllowedDestination] = {}
    for place, entry in enumerate(entries):
        key = f"policy.destinations[{place}]"
        try:
            name = normal(entry.destination, owned=entry.owned)
        except BadEntry as error:
            raise BadSettings(
                f"{key}.destination: {entry.destination!r} {error}",
                fix="write jane@partner.example for one mailbox, @partner.example for a domain",
            ) from error
        if name in found:
            raise BadSettings(
                f"{key}.destination: {entry.destination!r} is in the list already, as {name}",
                fix="keep one of the two",
            )
        expires = _end_of(entry.expires, f"{key}.expires")
        found[name] = AllowedDestination(destination=name, expires=expires, owned=entry.owned)
    return tuple(found.values())


def _end_of(day: str, key: str) -> int:
    """The end of a day (ns since the epoch), 0 where none is written. Raises `BadSettings`."""
    if not day:
        return 0
    try:
        last = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadSettings(f"{key}: {day}: {error}", fix="write a day as 2027-01-31") from error
    return int((last + timedelta(days=1)).timestamp()) * SECOND


def _rules(text: str) -> str:
    """Rules that parse. Raises `BadSettings`."""
    if not text:
        return text
    from sidecar.gate.rules import prepare

    prepared = prepare(text)
    if isinstance(prepared, str):
        raise BadSettings(f"policy.rules: {prepared}", fix="see docs/configuration.md, Rules")
    return text
