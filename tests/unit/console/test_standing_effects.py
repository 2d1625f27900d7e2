"""What a run left half done is listed for a person, until it is known not to have been done."""

from bus.decider import Recorded
from console.standing_effects import Standing, left_standing
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted
from schemas.content import plain
from schemas.names import NO_DIGEST, Role
from schemas.runs import RunHalted
from tests.cases import RUN, recorded

HALTED = recorded(
    RunHalted(halt=NO_DIGEST, reason="enough", standing=(b"a", b"b", b"c")),
    b"h",
    Role.ORCHESTRATOR,
    "orchestrator",
)


def started(name: bytes, index: int) -> Recorded:
    body = ActionStarted(proposal=name, tool="mail.send", arguments=NO_DIGEST, layers=())
    return recorded(body, name, Role.SIDECAR, "sidecar", index=index)


def finished(name: bytes, outcome: ActionOutcome) -> Recorded:
    body = ActionFinished(
        action=name,
        proposal=name,
        outcome=outcome,
        evidence=NO_DIGEST,
        detail="",
        result=plain(None),
    )
    return recorded(body, b"f" + name, Role.SIDECAR, "sidecar")


def test_what_an_end_names_is_listed_but_for_what_turns_out_not_to_be_done() -> None:
    past = [started(name, index) for index, name in enumerate((b"a", b"b", b"c", b"d"), start=7)]
    past += [HALTED, finished(b"a", ActionOutcome.UNKNOWN), finished(b"b", ActionOutcome.FAILED)]
    assert left_standing(past) == [
        Standing(RUN, "mail.send", 7, b"a", ActionOutcome.UNKNOWN),
        Standing(RUN, "mail.send", 9, b"c", None),
    ]


def test_where_no_end_names_anything_nothing_is_listed() -> None:
    assert left_standing([started(b"a", 1), finished(b"a", ActionOutcome.UNKNOWN)]) == []
