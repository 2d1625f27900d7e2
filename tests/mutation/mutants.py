"""The gate's mutants, as Cosmic Ray makes them: every operator of its core, at every place.

Left out, and counted, are those that nothing could notice or that everything does: in annotations
(`X | None` with another operator fails on import), in the size or presence of a cache
(`@lru_cache`), in whether arguments may also be given by position (`kw_only` of a struct, `*` of a
function, which is no product), and `is` written as `==` (or `is not` as `!=`), which for enums and
None is the same.
"""

import ast
import builtins
import io
import random
import tokenize
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

from cosmic_ray import plugins
from cosmic_ray.commands import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.work_db import WorkDB, use_db
from msgspec import Struct

ROOT: Final = Path(__file__).parents[2]
GATE: Final = ROOT / "sidecar" / "gate"
_SAME: Final = frozenset(
    ["core/ReplaceComparisonOperator_Is_Eq", "core/ReplaceComparisonOperator_IsNot_NotEq"]
)

_Place = tuple[int, int]


class Mutant(Struct, frozen=True, order=True):
    """One change to one module: `line` and `column` as Python counts them, `nth` of its kind."""

    module: str
    line: int
    column: int
    operator: str
    nth: int

    def source(self) -> str:
        """The module's text with this change. Raises `ValueError` where there is none such."""
        operator = plugins.get_operator(self.operator)()
        text = (GATE / f"{self.module}.py").read_text(encoding="utf-8")
        changed = mutate_code(text, operator, self.nth)
        if changed is None:
            raise ValueError(f"no such mutant: {self}")
        return str(changed)


def modules() -> tuple[str, ...]:
    """The gate's modules, by name."""
    return tuple(sorted(path.stem for path in GATE.glob("*.py") if path.stem != "__init__"))


def mutants(module: str) -> tuple[list[Mutant], int]:
    """All mutants of one module, in the order of their places; and how many are left out."""
    path = GATE / f"{module}.py"
    text = path.read_text(encoding="utf-8")
    silent = (*_silent(ast.parse(text)), *_stars(text))
    with use_db(":memory:", WorkDB.Mode.create) as session:
        init([path], session, {})
        found = [one for item in session.work_items for one in item.mutations]
    kept = sorted(
        Mutant(module, *one.start_pos, one.operator_name, one.occurrence)
        for one in found
        if one.operator_name not in _SAME
        and not any(begin <= one.start_pos < end for begin, end in silent)
    )
    return kept, len(found) - len(kept)


def sample(found: list[Mutant], size: int, seed: int) -> list[Mutant]:
    """`size` of them drawn by `seed`, each mutant as likely as another; 0 for all. In the order
    drawn, so that those tried so far are a sample too.
    """
    return random.Random(seed).sample(found, min(size or len(found), len(found)))


def _silent(tree: ast.Module) -> Iterator[tuple[_Place, _Place]]:
    for node in ast.walk(tree):
        quiet: list[ast.expr | None] = []
        if isinstance(node, ast.ClassDef):
            quiet += [one.value for one in node.keywords if one.arg == "kw_only"]
        elif isinstance(node, ast.Assign) and _is_union(node.value):
            quiet.append(node.value)
        elif isinstance(node, ast.arg | ast.AnnAssign):
            quiet.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            quiet.append(node.returns)
            quiet += [one for one in node.decorator_list if "lru_cache" in ast.unparse(one)]
        for one in filter(None, quiet):
            begin = max(0, one.col_offset - 1)
            yield (one.lineno, begin), (one.end_lineno or 0, one.end_col_offset or 0)


def _is_union(value: ast.expr) -> bool:
    """Whether this is an alias of types: `str | int`."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr):
        return _is_union(value.left) and _is_union(value.right)
    return isinstance(value, ast.Name) and isinstance(getattr(builtins, value.id, None), type)


def _stars(text: str) -> Iterator[tuple[_Place, _Place]]:
    """The stars that stand alone or before what they unpack."""
    found = tokenize.generate_tokens(io.StringIO(text).readline)
    for before, token in pairwise(one for one in found if one.string.strip()):
        if token.string in ("*", "**") and before.string in ("(", "[", "{", ","):
            yield token.start, token.end
