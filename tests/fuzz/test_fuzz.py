"""Every decoder of bytes from outside, given a little of what a night's fuzzing gives it."""

from functools import cache

import pytest

from tests.fuzz.campaign import inputs
from tests.fuzz.target import Finding, Hung, Target, tried
from tests.fuzz.targets import all_targets

A_LITTLE = 20


@cache
def targets() -> dict[str, Target]:
    return {target.name: target for target in all_targets()}


@pytest.mark.parametrize("name", sorted(targets()))
def test_spoiled_bytes_end_in_a_value_or_in_the_decoders_own_error(name: str) -> None:
    target = targets()[name]
    found = [tried(target, data, memory=memory) for data, memory in inputs(target, 0, A_LITTLE)]
    assert [one for one in found if one is not None] == []


@pytest.mark.parametrize("name", sorted(targets()))
def test_what_spoiling_begins_from_is_taken(name: str) -> None:
    for seed in targets()[name].seeds:
        targets()[name].decode(seed)


def swells(data: bytes) -> object:
    return bytearray(200 * 1024 * 1024)


def hangs(data: bytes) -> object:
    while True:
        pass


def raises(data: bytes) -> object:
    return {}[data]


@pytest.mark.parametrize(
    ("decode", "what"), [(swells, "of memory"), (raises, "KeyError"), (hangs, Hung.__name__)]
)
def test_what_swells_hangs_or_raises_what_it_may_not_is_found(decode: object, what: str) -> None:
    target = Target(name="bad", seeds=(b"",), decode=decode)  # type: ignore[arg-type]
    finding = tried(target, b"x", memory=True, hang_s=0.5)
    assert isinstance(finding, Finding) and what in finding.what
