"""One module's sample of mutants, made and tried by Cosmic Ray in a copy of the tree.

Mutants that nothing can notice or everything does are left out before the sample is drawn:
those in annotations (`X | None` with another operator fails on import) and in the size or
presence of a cache (`@lru_cache`), which no behaviour depends on.
"""

import ast
import contextlib
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cosmic_ray.commands import execute, init
from cosmic_ray.config import ConfigDict
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec
from msgspec import Struct

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 60
_TREE = ("agents", "bus", "classify", "crypto", "judge", "ledger", "schemas", "sidecar", "tests")


class Broken(Exception):
    """The tests fail without any mutation, or nothing could be run."""


class Tally(Struct, frozen=True):
    """Counts of one module, and the survivors as diffs."""

    total: int
    killed: int
    diffs: tuple[str, ...]


def mutate(module: str, tests: tuple[str, ...], *, sample: int, seed: int) -> Tally:
    """Try `sample` mutants (0: all) of `sidecar/gate/<module>.py` against `tests`.

    Raises `Broken` where the tests fail on the unmutated module.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    command += ["--hypothesis-seed=0", *tests]
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(_copied(Path(folder))):
        tried = subprocess.run(command, capture_output=True, text=True, check=False)
        if tried.returncode:
            raise Broken(f"{module}: the tests fail unmutated\n{tried.stdout[-2000:]}")
        path = Path("sidecar/gate") / f"{module}.py"
        with use_db("session.sqlite", WorkDB.Mode.create) as session:
            init([path], session, {})
            items = [one for one in session.work_items if _counts(path, one.mutations)]
            items.sort(key=lambda one: _place(one.mutations))
            if sample and sample < len(items):
                items = random.Random(f"{module} {seed}").sample(items, sample)
            session.clear()
            session.add_work_items(items)
            execute(session, _config(command))
            results = [result for _, result in session.completed_work_items]
    if len(results) != len(items):
        raise Broken(f"{module}: {len(items) - len(results)} mutants were not tried")
    if any(one.test_outcome is None or one.test_outcome.value == "incompetent" for one in results):
        raise Broken(f"{module}: a mutant could not be tried")
    survived = [one for one in results if not one.is_killed]
    diffs = tuple(sorted(one.diff or "" for one in survived))
    return Tally(len(results), len(results) - len(survived), diffs)


def _copied(folder: Path) -> Path:
    for name in _TREE:
        ignored = shutil.ignore_patterns("__pycache__", ".hypothesis")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _config(command: list[str]) -> ConfigDict:
    config = ConfigDict()
    config["test-command"] = shlex.join(command)
    config["timeout"] = TIMEOUT_S
    config["distributor"] = {"name": "local"}
    return config


def _place(mutations: tuple[MutationSpec, ...]) -> tuple[object, ...]:
    one = mutations[0]
    return (one.start_pos, one.end_pos, one.operator_name, one.occurrence)


def _counts(path: Path, mutations: tuple[MutationSpec, ...]) -> bool:
    """Whether a mutant says something about the tests."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    start = mutations[0].start_pos
    return not any(begin <= start < end for begin, end in _silent(tree))


def _silent(tree: ast.Module) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for node in ast.walk(tree):
        quiet: list[ast.expr | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            quiet.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            quiet.append(node.returns)
            quiet += [one for one in node.decorator_list if "lru_cache" in ast.unparse(one)]
        for one in filter(None, quiet):
            begin = max(0, one.col_offset - 1)
            yield (one.lineno, begin), (one.end_lineno or 0, one.end_col_offset or 0)
