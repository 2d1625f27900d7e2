"""Layer 5, capability: the tool exists in this lease, and the workspace's own rules allow it."""

from schemas.actions import LayerResult
from sidecar.gate.outcome import Case, Word, passed, refuse
from sidecar.gate.rules import authorised


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
    word = authorised(case)
    if word.result is not LayerResult.PASS:
        return word
    return passed(f"{name} ({case.tool.effect.value})")
