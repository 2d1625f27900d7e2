"""The blast radius: all that lies causally downstream of some entries of a ledger.

An entry is reached where it names one that was reached: among its causes, or by digest in its body
(a verdict its proposal, a claim what supports it). What a run was given to read may have steered
whatever it proposed afterwards: such an entry is `exposed`, which is a bound and no proof. A claim
of the memory that was reached reaches every entry that repeats its id. Pure; sealed content that
does not open can hide a beginning and a recall, so the caller says how much stayed sealed.
"""

from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Any

import msgspec
from msgspec import Struct

from bus.decider import Entry, Recorded
from crypto.sealing import content_fields
from schemas.actions import ActionFinished, ObservationRecorded, ProposalMade
from schemas.content import Sealed, opened
from schemas.memories import MemoryRetained


class How(Enum):
    """Why an entry is in the radius, the strongest reason."""

    SEED = "seed"
    CAUSED = "caused"
    RECALLED = "recalled"
    EXPOSED = "exposed"


class Reached(Struct, frozen=True, kw_only=True):
    """One entry in the radius. `by` is the index of the entry that reached it, 0 for a seed."""

    index: int
    type: str
    run: str
    how: How
    by: int


class Blast(Struct, frozen=True, kw_only=True):
    """The radius. `sealed` counts content fields that did not open, and so were not searched."""

    entries: int
    sealed: int
    runs: tuple[str, ...]
    reached: tuple[Reached, ...]


def blast(known: Iterable[Entry], seed: Callable[[Recorded], bool]) -> Blast:
    """Everything downstream of the entries that are `seed`, in the ledger's order."""
    reached: list[Reached] = []
    by_digest: dict[bytes, int] = {}
    read: dict[str, int] = {}
    claims: dict[str, int] = {}
    total = sealed = 0
    for entry in known:
        total += 1
        if not isinstance(entry, Recorded):
            continue
        event, body = entry.event, entry.event.body
        run = event.run or ""
        sealed += sum(
            isinstance(getattr(body, field), Sealed) for field in content_fields(type(body))
        )
        how, by = _how(entry, seed, by_digest, read, claims)
        if how is None:
            continue
        reached.append(Reached(index=entry.index, type=event.type, run=run, how=how, by=by))
        by_digest[entry.digest] = entry.index
        if isinstance(body, ObservationRecorded | ActionFinished):
            read.setdefault(run, entry.index)
        if isinstance(body, MemoryRetained):
            claims.setdefault(body.claim, entry.index)
    runs = sorted({one.run for one in reached if one.run})
    return Blast(entries=total, sealed=sealed, runs=tuple(runs), reached=tuple(reached))


def _how(
    entry: Recorded,
    seed: Callable[[Recorded], bool],
    by_digest: dict[bytes, int],
    read: dict[str, int],
    claims: dict[str, int],
) -> tuple[How | None, int]:
    if seed(entry):
        return How.SEED, 0
    named = [by_digest[digest] for digest in _digests(entry) if digest in by_digest]
    if named:
        return How.CAUSED, max(named)
    if claims:
        said = "\n".join(texts(entry))
        for claim, index in claims.items():
            if claim in said:
                return How.RECALLED, index
    run = entry.event.run or ""
    if isinstance(entry.event.body, ProposalMade) and run in read:
        return How.EXPOSED, read[run]
    return None, 0


def texts(entry: Recorded) -> Iterator[str]:
    """Every text of an entry, its opened content's among them."""
    for value in _values(entry):
        if isinstance(value, str):
            yield value


def _digests(entry: Recorded) -> Iterator[bytes]:
    yield from entry.event.causes
    for value in _values(entry):
        if isinstance(value, bytes) and len(value) == 32:
            yield value


def _values(entry: Recorded) -> Iterator[Any]:
    body = entry.event.body
    content = content_fields(type(body))
    stack: list[Any] = []
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if name in content and value is not None:
            stack.append(opened(value))
        else:
            stack.append(msgspec.to_builtins(value, builtin_types=(bytes,)))
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            stack.extend(one)
            stack.extend(one.values())
        elif isinstance(one, list | tuple):
            stack.extend(one)
        else:
            yield one
