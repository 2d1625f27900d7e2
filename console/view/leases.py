"""Who lent whom what: the policy, under it each rep, their agents, and the runs that hold a lease.

Pure. Each level can only be narrower than the one above, and the tree says by how much: of the
policy's tools which a lease has, of its time how much is left, of its actions how many were used.
"""

from msgspec import Struct

from console.view.state import Run, Workspace
from schemas.leases import Lease


class Held(Struct, frozen=True):
    """A run's lease. `tools` are all of the policy's, each with whether the lease has it; `stray`
    those that the policy in force no longer lists. `left_s` is the time left, 0 where it is over,
    `used` the actions begun.
    """

    run: Run
    lease: Lease
    tools: tuple[tuple[str, bool], ...]
    stray: tuple[str, ...]
    left_s: int
    used: int


class Agent(Struct, frozen=True):
    """An agent, and the leases that its runs hold for one rep."""

    name: str
    leases: tuple[Held, ...]


class Rep(Struct, frozen=True):
    """A rep, and the agents at work in their name."""

    name: str
    active: bool
    agents: tuple[Agent, ...]


def lease_tree(view: Workspace, runs: list[Run], now: int) -> tuple[Rep, ...]:
    """The tree of the live ones among `runs` that hold a lease, by name; `now` in ns."""
    held: dict[str, dict[str, list[Held]]] = {}
    for run in runs:
        if run.live and run.lease is not None:
            agents = held.setdefault(run.request.rep, {})
            agents.setdefault(run.request.agent, []).append(_held(view, run, run.lease, now))
    return tuple(
        Rep(
            rep,
            view.reps.get(rep, False),
            tuple(Agent(agent, tuple(leases)) for agent, leases in sorted(agents.items())),
        )
        for rep, agents in sorted(held.items())
    )


def _held(view: Workspace, run: Run, lease: Lease, now: int) -> Held:
    listed = [tool.name for tool in view.policy.tools] if view.policy is not None else []
    return Held(
        run,
        lease,
        tuple((name, name in lease.tools) for name in listed),
        tuple(name for name in lease.tools if name not in listed),
        max(0, lease.not_after - now) // 1_000_000_000,
        run.begun,
    )
