"""Rounds over all targets until the time is up; what is found, once for each place it shows in."""

import time
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Final

from tests.fuzz.mutation import mutated
from tests.fuzz.target import Finding, Target, tried

MEMORY_EVERY: Final = 20
"""One in so many inputs has its memory measured as well."""


def inputs(target: Target, first: int, count: int) -> Iterator[tuple[bytes, bool]]:
    """The inputs of these numbers, and whether memory is measured: the same in every process.

    The seeds themselves come first, and must be taken.
    """
    for number in range(first, first + count):
        if number < len(target.seeds):
            yield target.seeds[number], True
        else:
            random = Random(f"{target.name} {number}")
            yield mutated(random, target.seeds), number % MEMORY_EVERY == 0


def campaign(
    targets: Sequence[Target],
    *,
    until: Callable[[], bool],
    first: int = 0,
    batch: int = 200,
) -> tuple[int, list[Finding]]:
    """How many inputs were tried until `until` says so, and what was found, each made small."""
    found: dict[tuple[str, str, str], Finding] = {}
    count, at = 0, first
    while not until():
        for target in targets:
            for data, memory in inputs(target, at, batch):
                count += 1
                finding = tried(target, data, memory=memory)
                if finding is not None:
                    found.setdefault(_kind(finding), finding)
            if until():
                break
        at += batch
    by_name = {target.name: target for target in targets}
    return count, [smaller(by_name[one.target], one) for one in found.values()]


def smaller(target: Target, finding: Finding, patience_s: float = 5.0) -> Finding:
    """The finding with as much of its bytes taken away as shows it still."""
    least, size, end = finding, max(len(finding.data) // 2, 1), time.monotonic() + patience_s
    while size and time.monotonic() < end:
        at = 0
        while at < len(least.data) and time.monotonic() < end:
            again = tried(target, least.data[:at] + least.data[at + size :])
            if again is not None and _kind(again) == _kind(finding):
                least = again
            else:
                at += size
        size //= 2
    return least


def _kind(finding: Finding) -> tuple[str, str, str]:
    return finding.target, finding.what.partition(":")[0], finding.where
