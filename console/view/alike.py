"""Values that many runs have alike, each held once: who asked, for which tools, how it ended.

A run that is over is remembered for as long as the ledger is read, and most of what it takes is
what other runs say too. A bounded number of values is known, the last ones; what is forgotten is
held once more, and nothing else changes. Pure: equal values cannot be told apart.
"""

from collections.abc import Hashable
from functools import lru_cache
from typing import Final, TypeVar, cast

from msgspec.structs import replace

from schemas.runs import RunRequested

_KNOWN: Final = 4_096
_Value = TypeVar("_Value", bound=Hashable)


def alike(value: _Value) -> _Value:
    """The value, as the object that stood for it before."""
    return cast(_Value, _known(value))


@lru_cache(_KNOWN, typed=True)
def _known(value: Hashable) -> Hashable:
    return value


def request_alike(request: RunRequested) -> RunRequested:
    """The same request; all but its own words is what other requests have too."""
    intent = request.intent
    return replace(
        request,
        rep=alike(request.rep),
        agent=alike(request.agent),
        tools=alike(request.tools),
        intent=replace(
            intent,
            effects=alike(intent.effects),
            destinations=alike(intent.destinations),
            objects=alike(intent.objects),
        ),
    )
