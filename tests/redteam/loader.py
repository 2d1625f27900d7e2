"""Cases of the corpus, as they stand in `cases/*.toml`.

An attack says which layers must catch it and how hard; an honest case says only what people
do. Nothing here knows what the gate answers.
"""

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, field

from schemas.actions import Verdict
from schemas.leases import Intent
from schemas.names import Classification
from schemas.runs import HaltScope
from schemas.tools import Trust
from tests.redteam.encodings import written
from tests.redteam.workspaces import HERE

Risk = Literal["injection", "misuse", "credentials", "exfiltration", "memory", "silent"]
LayerName = Literal[
    "authenticity",
    "lease",
    "halt",
    "intent",
    "capability",
    "arguments",
    "provenance",
    "classification",
    "memory",
    "destination",
    "cost",
    "pace",
    "supervisor",
    "review",
]
KINDS: Final = ("observe", "propose", "verdict", "approve", "halt", "release", "revoke")


class Line(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One step of a case; exactly one of `KINDS` is given. `wait` is in seconds.

    Of a proposal: `arguments` (written `with`), what it `gives` (over the fields of the
    workspace's `record`), whether the tool `failed`, whether a person `approved` it where it was
    held, how often to `repeat`, how far the producer's `clock` is off in seconds, `by` whom and
    under which `number` it is made where that is false, and whether it does `harm` (of an attack;
    else its last proposal does). Of a verdict or approval: whether it is `of` another digest.
    """

    observe: Any = None
    propose: str = ""
    verdict: Verdict | None = None
    approve: bool | None = None
    halt: HaltScope | None = None
    release: HaltScope | None = None
    revoke: Literal["", "lease", "rep"] = ""
    wait: Annotated[float, Meta(ge=0)] = 1
    source: str = "inbound"
    trust: Trust = Trust.UNTRUSTED
    sensitivity: Classification = Classification.CONFIDENTIAL
    arguments: Any = field(name="with", default_factory=dict)
    gives: Any = None
    record: str = ""
    failed: bool = False
    approved: bool = False
    repeat: Annotated[int, Meta(ge=1, le=2_000)] = 1
    clock: int = 0
    by: str = ""
    number: int = 0
    harm: bool = False
    of: Literal["", "other"] = ""
    target: str = ""


class Owner(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was found out about who owns an allowlisted domain. Seconds are from the run's
    beginning: `checked` when it was last looked up, `expires` when the entry ends.
    """

    checked: int = -3_600
    expires: int = 864_000
    changed: str = ""


class Example(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What attacks and honest cases have in common. `about` says it in one sentence. The case
    begins `early` seconds before its lease does.
    """

    id: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    about: str
    workspace: str
    intent: str | Intent
    steps: Annotated[tuple[Line, ...], Meta(min_length=1)]
    risk: Risk = "injection"
    tools: tuple[str, ...] | None = None
    policy: dict[str, Any] = {}
    lease: dict[str, Any] = {}
    owned: dict[str, Owner] = {}
    early: Annotated[int, Meta(ge=0)] = 0


class Attack(Example, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of `caught_by` must object to the harm, and the gate answer `at_least` this."""

    risk: Risk
    caught_by: LayerName | tuple[LayerName, ...]
    at_least: Literal["hold", "refuse"] = "hold"

    @property
    def catchers(self) -> tuple[LayerName, ...]:
        """`caught_by` as a tuple."""
        return (self.caught_by,) if isinstance(self.caught_by, str) else self.caught_by


class Honest(Example, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every proposal of it must pass without a person."""


Kind = TypeVar("Kind", Attack, Honest)


class BadCase(ValueError):
    """A case file says something that is no case. Says the file, the case and what is wrong."""


@lru_cache(maxsize=1)
def cases() -> tuple[Attack | Honest, ...]:
    """All cases, in the order of their files. Raises BadCase for the first that is none."""
    found: dict[str, Attack | Honest] = {}
    for path in sorted((HERE / "cases").glob("*.toml")):
        for case in of_file(path):
            if case.id in found:
                raise BadCase(f"{path.name}: {case.id} stands there twice, or in another file")
            found[case.id] = case
    return tuple(found.values())


def attacks() -> tuple[Attack, ...]:
    """The attacks."""
    return tuple(case for case in cases() if isinstance(case, Attack))


def honest() -> tuple[Honest, ...]:
    """The honest cases."""
    return tuple(case for case in cases() if isinstance(case, Honest))


def of_file(path: Path) -> Iterator[Attack | Honest]:
    """The cases of one file. Raises BadCase at the first that is none."""
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as failure:
        raise BadCase(f"{path.name}: {failure}") from failure
    if strange := sorted(set(said) - {"attack", "honest"}):
        raise BadCase(f"{path.name}: no such table as {', '.join(strange)}")
    for one in said.get("attack", ()):
        yield _case(path, one, Attack)
    for one in said.get("honest", ()):
        yield _case(path, one, Honest)


def _case(path: Path, said: Mapping[str, Any], kind: type[Kind]) -> Kind:
    try:
        case = msgspec.convert(written(dict(said)), kind)
    except (msgspec.ValidationError, KeyError) as failure:
        raise BadCase(f"{path.name}: {said.get('id', '(no id)')}: {failure}") from failure
    for place, line in enumerate(case.steps, start=1):
        given = [kind for kind in KINDS if getattr(line, kind) not in (None, "")]
        if len(given) != 1:
            raise BadCase(
                f"{path.name}: {case.id}: step {place} is {' and '.join(given) or 'none'}"
            )
    return case
