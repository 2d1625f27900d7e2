"""Whether the tests notice a mutant: each is tried in a child process of its own.

The child is forked from a process that has loaded everything but the gate, so that a trial costs
the gate's import and the tests, and no mutant outlives its trial. The mutated text is what that
child imports; no file is written. A trial that takes over `LIMIT_S` of the processor's time
counts as noticed: a mutant that loops is one.
"""

import importlib.abc
import importlib.machinery
import os
import re
import resource
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import entry_points
from types import ModuleType
from typing import Final

import hypothesis
import pytest

import classify.detect
import classify.view
import crypto.sealing
import crypto.trust
import ledger.receipt
import schemas.events
from tests.mutation.mutants import ROOT, Mutant

LIMIT_S: Final = 60
UNIT: Final = "tests/unit/sidecar/gate"
CORPUS: Final = tuple(
    f"tests/redteam/test_redteam.py::test_{name}"
    for name in (
        "every_attack_is_caught_by_the_layers_it_names",
        "at_least_95_percent_of_honest_work_passes_without_a_person",
    )
)
"""Tried behind the unit tests that import the mutated module (all, where none does). What only
other tests would notice, such as the laws of `tests/redteam`, counts as survived.
"""
EXAMPLES: Final = 20
"""How many each property is tried with, of hypothesis' usual 100: a trial is one of hundreds."""
LOADED: Final = (
    classify.detect,
    classify.view,
    crypto.sealing,
    crypto.trust,
    ledger.receipt,
    schemas.events,
)
"""What the gate and its tests stand on, loaded once."""
_OPTIONS: Final = ("-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")


def tried(found: Iterable[Mutant], at_once: int) -> Iterator[tuple[Mutant, bool]]:
    """Each mutant with whether the tests noticed it, as the trials end."""
    _load_plugins()
    under_way: dict[int, Mutant] = {}
    for mutant in found:
        if len(under_way) == at_once:
            yield _ended(under_way)
        under_way[_begun(mutant.module, mutant.source())] = mutant
    while under_way:
        yield _ended(under_way)


def passes_unmutated() -> bool:
    """Whether the tests pass on the gate as it is: else no trial says anything."""
    _, status = os.waitpid(_begun("", ""), 0)
    return os.waitstatus_to_exitcode(status) == 0


def _begun(module: str, source: str) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S))
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(quiet, descriptor)
        os.chdir(ROOT)
        hypothesis.settings.register_profile("trial", max_examples=EXAMPLES, deadline=None)
        hypothesis.settings.load_profile("trial")
        sys.dont_write_bytecode = False
        if module:
            sys.meta_path.insert(0, _Mutated(f"sidecar.gate.{module}", source))
        code = next(filter(None, (int(pytest.main([*_OPTIONS, *run])) for run in _runs(module))), 0)
    finally:
        os._exit(code)


def _runs(module: str) -> Iterator[tuple[str, ...]]:
    files = sorted((ROOT / UNIT).glob("test_*.py"))
    imports = re.compile(rf"^from sidecar\.gate(?:\.{module}\b| import .*\b{module}\b)", re.M)
    own = [str(file) for file in files if imports.search(file.read_text(encoding="utf-8"))]
    yield tuple(own) if module and own else (UNIT,)
    yield CORPUS


def _load_plugins() -> None:
    for plugin in entry_points(group="pytest11"):
        plugin.load()


def _ended(under_way: dict[int, Mutant]) -> tuple[Mutant, bool]:
    pid, status = os.wait()
    return under_way.pop(pid), os.waitstatus_to_exitcode(status) != 0


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module from a text instead of from its file."""

    def __init__(self, name: str, source: str) -> None:
        self._name = name
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def get_source(self, fullname: str) -> str:
        return self._source
