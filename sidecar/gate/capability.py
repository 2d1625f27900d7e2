"""Layer 5, capability: the tool exists in this lease, or it does not exist."""

from sidecar.gate.outcome import Case, Word, passed, refuse


def capability(case: Case) -> Word:
    """Only a tool that the lease names and the policy declares resolves."""
    name = case.proposal.tool
    if case.lease is None or name not in case.lease.tools:
        return refuse(
            f"no tool {name} in this lease",
            fix="request a run with this tool, if the rep means it to be used",
        )
    if case.tool is None:
        return refuse(f"no tool {name} in the policy in force", fix="declare the tool in policy")
    return passed(f"{name} ({case.tool.effect.value})")
