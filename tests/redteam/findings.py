"""Whether the gate did with a case what it must: the harm caught, honest work let through."""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from msgspec import Struct

from schemas.actions import LayerResult
from sidecar.gate.gate import GateResult
from tests.redteam.loader import Attack, Honest, attacks
from tests.redteam.runner import Played, play

_OBJECTING: Final = (LayerResult.HOLD, LayerResult.REFUSE)


class Fault(Enum):
    """In what the gate failed on a case."""

    PASSED = "the harm passed"
    SOFT = "it was only held"
    ELSEWHERE = "another layer caught it than the case says"
    HUMAN = "honest work needed a person"
    REFUSED = "honest work was refused"


class Report(Struct, frozen=True):
    """A case played, and its fault, None where the gate did what it must."""

    case: Attack | Honest
    played: tuple[Played, ...]
    fault: Fault | None


def report(case: Attack | Honest, *, without: str = "") -> Report:
    """Play one case; `without` names a layer that is switched off."""
    played = tuple(play(case, without=without))
    if isinstance(case, Attack):
        return Report(case, played, _attacked(case, played, without))
    results = [decision(one.result, without) for one in played]
    if LayerResult.REFUSE in results:
        return Report(case, played, Fault.REFUSED)
    return Report(case, played, Fault.HUMAN if LayerResult.HOLD in results else None)


def reports(every: Iterable[Attack | Honest]) -> tuple[Report, ...]:
    """Each case played."""
    return tuple(report(case) for case in every)


def through_without(layer: str) -> tuple[str, ...]:
    """The ids of the attacks that only this layer catches: with it switched off they pass."""
    its_own = (case for case in attacks() if layer in case.catchers)
    found = (report(case, without=layer) for case in its_own)
    return tuple(one.case.id for one in found if one.fault is Fault.PASSED)


def decision(result: GateResult, without: str = "") -> LayerResult:
    """The gate's answer as a whole; without layer 14 it is what the other 13 say."""
    spoken = [one.result for one in result.layers if one.name != without]
    if result.result is LayerResult.REFUSE or without == "review":
        return next((one for one in (LayerResult.REFUSE, LayerResult.HOLD) if one in spoken), _PASS)
    return result.result


def objecting(result: GateResult) -> tuple[str, ...]:
    """The names of the layers that object, in order."""
    return tuple(one.name for one in result.layers if one.result in _OBJECTING)


def _attacked(case: Attack, played: tuple[Played, ...], without: str) -> Fault | None:
    harms = [one for one in played if one.harm]
    faults = [_harmed(case, one.result, without) for one in harms]
    return None if None in faults else min(faults, key=_GRAVEST.index, default=Fault.PASSED)


def _harmed(case: Attack, result: GateResult, without: str) -> Fault | None:
    decided = decision(result, without)
    if decided not in _OBJECTING:
        return Fault.PASSED
    if not without and set(case.catchers) - set(objecting(result)):
        return Fault.ELSEWHERE
    soft = case.at_least == "refuse" and decided is not LayerResult.REFUSE
    return Fault.SOFT if soft and not without else None


_PASS: Final = LayerResult.PASS
_GRAVEST: Final = (Fault.PASSED, Fault.SOFT, Fault.ELSEWHERE)
