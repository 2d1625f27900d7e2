"""Step-up: whether an approval bears the passkey's signature that policy asks for. Pure.

The gate asks no console whether it checked: it verifies the assertion that is on record, over
exactly this proposal's digest, against the passkey that is on record as the person's.
"""

from bus.decider import Recorded
from crypto.errors import BadAssertion
from crypto.passkeys import approval_challenge, check_assertion
from schemas.actions import ApprovalDecided
from schemas.tools import by_passkey
from sidecar.gate.outcome import Case


def wanted(case: Case) -> bool:
    """Whether an approval of this proposal needs a passkey."""
    return case.policy is not None and case.tool is not None and by_passkey(case.policy, case.tool)


def lacking(case: Case, answer: Recorded) -> str:
    """What an approval lacks of the passkey that is wanted, empty where nothing."""
    said, person = answer.event.body, answer.event.actor.instance
    if not wanted(case) or not isinstance(said, ApprovalDecided):
        return ""
    if said.assertion is None:
        return f"{person} approved without a passkey, which policy asks for"
    passkey = case.passkeys.of(person, said.assertion.credential)
    if passkey is None:
        return f"{person} approved with a passkey that is not admitted as theirs"
    challenge = approval_challenge(case.recorded.digest, said.decision)
    try:
        check_assertion(said.assertion, passkey, challenge)
    except BadAssertion as error:
        return f"{person}'s passkey does not approve this: {error.what}"
    return ""
