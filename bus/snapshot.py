"""A component's folded state as bytes and back: what a start need not fold again.

Pure. Structs go through msgspec by their own types; persistent maps and sets, which msgspec does
not know, as lists. What comes back is checked against the same types, so no bytes can make an
object of another kind. A snapshot means nothing to other code than that which took it:
`code_of` names the code, and whoever keeps snapshots compares.
"""

import hashlib
import platform
import typing
from collections.abc import Iterable
from typing import Any, Final, TypeVar

import msgspec
from immutables import Map
from msgspec import Struct

from bus.errors import BadSnapshot
from bus.node import Node
from crypto.errors import WrongPlace
from crypto.known import KnownKeys

_T = TypeVar("_T")

FORMAT: Final = 1


class Folded(Struct, frozen=True, kw_only=True):
    """A node after entry `index`, before the next. `state` is the decider's, by `encode`, and
    `kind` the name of its type.
    """

    index: int
    kind: str
    state: bytes
    trust: KnownKeys
    fences: dict[str, int]


def folded_of(node: Node[Any]) -> Folded:
    """What `node` has folded so far. It may have published more, which comes back as entries."""
    return Folded(
        index=node.index,
        kind=_kind(node),
        state=encode(node.state),
        trust=node.trust.known(),
        fences=dict(node.fences),
    )


def resume(node: Node[Any], folded: Folded) -> None:
    """Bring a new node to where `folded` was taken; whoever kept it vouches for it.

    Raises `BadSnapshot` where it is of another workspace, root or kind of state.
    """
    if folded.kind != _kind(node):
        raise BadSnapshot(f"it is a {folded.kind}, not a {_kind(node)}")
    state = decode(folded.state, type(node.state))
    try:
        node.trust.resume(folded.trust)
    except WrongPlace as error:
        raise BadSnapshot(error.what) from error
    node.state, node.index, node.fences = state, folded.index, dict(folded.fences)


def _kind(node: Node[Any]) -> str:
    return f"{type(node.state).__module__}.{type(node.state).__name__}"


def encode(state: object) -> bytes:
    """MessagePack; equal states need not have equal bytes, for a map has no order."""
    return msgspec.msgpack.encode(state, enc_hook=_lowered)


def decode(data: bytes, kind: type[_T]) -> _T:
    """The inverse of `encode`. Raises `BadSnapshot` where the bytes are no `kind`."""
    try:
        return msgspec.msgpack.decode(data, type=kind, dec_hook=_raised)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSnapshot(f"its state is no {kind.__name__} of this version: {error}") from error


def code_of(sources: Iterable[tuple[str, bytes]], libraries: Iterable[tuple[str, str]]) -> bytes:
    """A digest of the code that folds: source files (name, bytes), libraries (name, version)
    and the interpreter's version. Another digest means that states may differ.
    """
    hasher = hashlib.sha256(f"anyteam snapshot {FORMAT} {platform.python_version()}".encode())
    for name, data in sorted(sources):
        hasher.update(b"\x00" + name.encode() + b"\x00" + hashlib.sha256(data).digest())
    for name, version in sorted(libraries):
        hasher.update(b"\x01" + name.encode() + b"\x00" + version.encode())
    return hasher.digest()


def _lowered(value: object) -> object:
    if isinstance(value, Map):
        return list(value.items())
    raise TypeError(f"a state holds a {type(value).__name__}, which no snapshot can")


def _raised(kind: Any, value: object) -> object:
    if typing.get_origin(kind) is Map:
        pairs: Any = list[tuple[typing.get_args(kind)]]  # type: ignore[misc]
        return Map(msgspec.convert(value, pairs, dec_hook=_raised, builtin_types=(bytes,)))
    raise TypeError(f"no snapshot holds a {kind}")
