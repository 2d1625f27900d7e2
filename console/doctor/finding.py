"""A finding: what was looked at, how it stands, and what mends it."""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from msgspec import Struct

from schemas.errors import AnyTeamError


class State(Enum):
    """`fault` needs mending, `advice` may wait, `skipped` could not be looked at now."""

    OK = "ok"
    ADVICE = "advice"
    FAULT = "fault"
    SKIPPED = "skipped"


class Finding(Struct, frozen=True):
    """One look at one thing. `fix` is empty where nothing is to be done."""

    check: str
    state: State
    what: str
    fix: str = ""


def tried(check: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What `look` finds; its error is a finding too, so that one fault hides no other."""
    try:
        yield from look()
    except AnyTeamError as error:
        yield Finding(check, State.FAULT, error.what, error.fix)
    except OSError as error:
        yield Finding(check, State.FAULT, str(error), "check the path and its owner")


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether none is a fault."""
    return all(finding.state is not State.FAULT for finding in findings)
