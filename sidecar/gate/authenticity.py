"""Layer 1, authenticity: who really said this, now, and for the first time.

Signature, certificate and producer chain were checked where the entry was accepted
(`crypto.trust`); an entry that failed there never becomes a proposal. Here the proposal
is held against this run's lease and against the clock.
"""

from schemas.names import SECOND, Role
from sidecar.gate.outcome import Case, Word, passed, refuse


def authenticity(case: Case) -> Word:
    """The lease's own runtime key, a clock within the policy's skew, and no repetition."""
    event = case.recorded.event
    key = case.lease_key
    if key is None or case.lease is None or case.policy is None:
        return refuse("no lease certifies a runtime for this run", fix="request the run anew")
    if event.actor.role is not Role.RUNTIME or event.actor.instance != key.instance:
        return refuse(
            "the proposal is not from the runtime that the lease certifies",
            evidence=f"{event.actor.role.value}/{event.actor.instance}, not {key.instance}",
        )
    skew = abs(case.now - event.at)
    if skew > case.policy.skew_s * SECOND:
        return refuse(
            f"the proposal is dated {skew // SECOND} s away from the gate's clock",
            evidence=f"at most {case.policy.skew_s} s are allowed",
            fix="set the clocks (NTP) and propose again",
        )
    if case.repeated:
        return refuse("this proposal number was used before in this run")
    if case.arguments is None:
        return refuse(
            "the proposal's arguments do not open under the run's key",
            fix="seal arguments with the key from content_key.wrapped",
        )
    return passed(f"key {key.key_id.hex()}, number {case.proposal.number}")
