"""Layer 11, cost: ceilings per run, per tool in a run, and per day in the workspace."""

from schemas.tools import Budget
from sidecar.gate.conduct import Spend, cost_of, plus
from sidecar.gate.outcome import Case, Word, passed, refuse

_NO_CEILING = Budget()
_NOTHING = Spend()


def cost(case: Case) -> Word:
    """Refuse what would go over a ceiling."""
    tool, given, policy = case.tool, case.arguments, case.policy
    if tool is None or given is None or policy is None:
        return refuse("there is nothing to count the cost by")
    more = cost_of(tool, case.said)
    for whose, budget, spent in (
        ("run", policy.per_run, case.conduct.spend),
        (f"tool {tool.name}", policy.per_tool.get(tool.name, _NO_CEILING), _of_tool(case)),
        ("day", policy.per_day, case.day),
    ):
        if budget != _NO_CEILING and (over := over_budget(budget, plus(spent, more))):
            return refuse(
                f"over the ceiling per {whose}: {over}",
                fix="raise the ceiling in the policy, or wait for the next run or day",
            )
    spent = case.conduct.spend
    return passed(f"{spent.calls + 1} calls, {spent.money + more.money} millionths")


def over_budget(budget: Budget, spend: Spend) -> str:
    """The first ceiling that `spend` is over, in words, or an empty string. 0 is no ceiling."""
    for name in Spend.__struct_fields__:
        ceiling, spent = getattr(budget, name), getattr(spend, name)
        if ceiling and spent > ceiling:
            return f"{spent} of {ceiling} {name}"
    return ""


def _of_tool(case: Case) -> Spend:
    return case.conduct.by_tool.get(case.tool.name, _NOTHING) if case.tool else _NOTHING
