"""One policy as an auditor asks it about each action: worked out once, where it is set. Pure.

What the policy reserves to people goes by every tool of a name, what a call costs by the first
one, as at the gate.
"""

from typing import Final

from msgspec import Struct

from schemas.tools import Budget, Policy, Tool, by_passkey

_NONE: Final = Budget()
_ONE_CALL: Final = Budget(calls=1)


class Rules(Struct, frozen=True):
    """`policy`, in force from entry `index` on. `reserved` and `of_two` name the tools whose effect
    a person, or two, must approve, `by_passkey` those approved with a passkey; `costs` says
    what one call uses up, as far as the policy alone says, and `bounded` whether there is a ceiling
    to any of it.
    """

    index: int
    policy: Policy
    reserved: frozenset[str]
    of_two: frozenset[str]
    by_passkey: frozenset[str]
    costs: dict[str, Budget]
    bounded: bool

    def cost(self, tool: str) -> Budget:
        """What one call of `tool` uses up."""
        return self.costs.get(tool, _ONE_CALL)


def rules_of(index: int, policy: Policy) -> Rules:
    """The policy set at entry `index`."""
    tools = policy.tools
    keyed = frozenset(tool.name for tool in tools if by_passkey(policy, tool))
    return Rules(
        index=index,
        policy=policy,
        reserved=keyed | {tool.name for tool in tools if tool.effect in policy.human_effects},
        of_two=frozenset(tool.name for tool in tools if tool.effect in policy.four_eyes),
        by_passkey=keyed,
        costs={tool.name: _cost(tool) for tool in reversed(tools)},
        bounded=bool(policy.per_tool) or policy.per_run != _NONE or policy.per_day != _NONE,
    )


def _cost(tool: Tool) -> Budget:
    effect = int(tool.effect.high_stakes)
    return Budget(money=tool.cost, calls=1, effects=effect, records=effect)
