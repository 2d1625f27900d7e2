"""`anyteam rep`, `tool`, `budget`: what the workspace consists of, read from its ledger."""

import asyncio
import time
from pathlib import Path

import typer
from rich.markup import escape

from console.inventory import Reps, Spending, all_of, policy_in
from console.output import JsonFlag, emit
from console.session import DEFAULT_DATA, DataOption, Scope, about_topics, in_no_run, session
from console.web.shown import moment, money
from schemas.names import Role
from schemas.tools import Budget, Policy

reps = typer.Typer(no_args_is_help=True, help="The people who may ask for runs.")
tools = typer.Typer(no_args_is_help=True, help="The tools that the policy in force declares.")


def register(app: typer.Typer) -> None:
    """Add these nouns' commands."""
    app.add_typer(reps, name="rep")
    app.add_typer(tools, name="tool")
    app.command()(budget)


@reps.command(name="list")
def list_reps(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Every rep, whether they may ask for runs, and how many they asked for.

    They are named in the settings (`reps`); `anyteam up` puts a change on record. To stop a rep's
    runs at once: `anyteam halt rep NAME`.
    """
    reps = Reps()
    asyncio.run(_fold(data, about_topics("request"), reps))
    for one in reps.by_name():
        state = "active" if one.active else f"[red]revoked: {escape(one.reason)}[/]"
        text = f"{escape(one.name):<20} {one.runs:>6} runs  since {moment(one.since)} UTC  {state}"
        emit(one, json, text)


@tools.command(name="list")
def list_tools(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """Each tool: what it does to the world, what it costs, and how success is read back.

    Tools are switched on in the settings (`[policy] tools`); `anyteam policy apply` signs a change.
    """
    policy = asyncio.run(_policy(data))
    for one in policy.tools if policy is not None else ():
        value = {
            "name": one.name,
            "effect": one.effect,
            "summary": one.summary,
            "trust": one.trust,
            "classification": one.classification,
            "ceiling": one.ceiling,
            "cost": one.cost,
            "confirm": one.confirm,
            "undone_by": one.compensation.tool if one.compensation is not None else "",
        }
        text = f"{escape(one.name):<24} {one.effect.value:<14} {escape(one.summary)}"
        emit(value, json, f"{text}, {money(one.cost)} a call" if one.cost else text)


def budget(data: DataOption = DEFAULT_DATA, json: JsonFlag = False) -> None:
    """What today (UTC) has used up, by tool and in all, beside the policy's ceilings.

    Ceilings are in the settings: `[policy.per_run]`, `[policy.per_tool]`, `[policy.per_day]`.
    What they leave is the gate's to say, layer 11, for each proposal.
    """
    spending = Spending(time.time_ns())
    asyncio.run(_fold(data, about_topics("action", "outcome"), spending))
    spent, policy = spending.by_tool(), spending.policy
    day = policy.per_day if policy is not None else Budget()
    for one in spent:
        text = f"{escape(one.name):<24} {one.calls:>6} calls {money(one.money):>12}"
        emit(one, json, f"{text} {one.tokens:>10} tokens" if one.tokens else text)
    whole = all_of(spent)
    emit(
        {"today": _counted(whole), "per_day": day, "per_run": _ceiling(policy)},
        json,
        f"today: money {money(whole.money)} of {money(day.money) if day.money else 'any'}, "
        + ", ".join(
            f"{what} {used} of {most or 'any'}"
            for what, used, most in (
                ("calls", whole.calls, day.calls),
                ("effects", whole.effects, day.effects),
                ("tokens", whole.tokens, day.tokens),
            )
        ),
    )


def _counted(whole: Budget) -> dict[str, int]:
    return {name: getattr(whole, name) for name in ("money", "calls", "effects", "tokens")}


def _ceiling(policy: Policy | None) -> Budget:
    return policy.per_run if policy is not None else Budget()


async def _fold(data: Path, scope: Scope, into: Reps | Spending) -> None:
    """Have `into` take what the ledger holds in `scope`, one entry after the other."""
    async with session(
        data, Role.ADMIN, scope=scope, read=False, content=False, partial=True
    ) as opened:
        async for entry in opened.reader.past():
            into.take(entry)


async def _policy(data: Path) -> Policy | None:
    async with session(data, Role.ADMIN, scope=in_no_run, content=False) as opened:
        return policy_in(opened.past)
