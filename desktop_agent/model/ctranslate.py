"""Reads CTranslate2's model file: named tensors, and names that mean the same tensor.

Little-endian throughout: version (u32, 6 here), the specification's name (u16 length with its
final NUL, then the bytes), its revision (u32), the number of tensors (u32), and for each its
name, rank (u8), dimensions (u32 each), type (u8) and data (u32 length, then the bytes); last the
aliases (u32, then pairs of names). Anything else is refused: the file decides what a native
library is given to read. Source: CTranslate2's documentation of its model format.
"""

import math
import struct
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from desktop_agent.errors import ModelDamaged, ModelUnsupported

VERSION: Final = 6
SPECIFICATION: Final = "WhisperSpec"
_TYPES: Final[Mapping[int, np.dtype[Any]]] = {
    0: np.dtype("<f4"),
    1: np.dtype("i1"),
    2: np.dtype("<i2"),
    3: np.dtype("<i4"),
    4: np.dtype("<f2"),
}
_MAX_RANK: Final = 4
_MAX_TENSORS: Final = 10_000

Tensor = NDArray[Any]


class Weights(Struct, frozen=True):
    """Tensors by name, in the types they are stored in; an alias is a name like any other."""

    tensors: Mapping[str, Tensor]


def read_weights(data: bytes) -> Weights:
    """The tensors of a whole file. Raises `ModelDamaged` with the byte it fails at, or
    `ModelUnsupported` for another format's version or another kind of model.
    """
    reader = _Reader(data)
    version = reader.u32("the format's version")
    if version != VERSION:
        raise ModelUnsupported(
            f"a CTranslate2 file of version {version}", fix=f"only version {VERSION} is read"
        )
    specification = reader.name()
    if specification != SPECIFICATION:
        raise ModelUnsupported(f"a model of kind {specification!r}", fix="give a Whisper model")
    reader.u32("the specification's revision")
    count = reader.u32("the number of tensors")
    if count > _MAX_TENSORS:
        raise ModelDamaged(f"the model file claims {count} tensors")
    tensors: dict[str, Tensor] = {}
    for _ in range(count):
        name = reader.name()
        tensors[name] = reader.tensor(name)
    for _ in range(reader.u32("the number of aliases")):
        alias, name = reader.name(), reader.name()
        if name not in tensors:
            raise ModelDamaged(f"{alias} stands for {name}, which is not in the file")
        tensors[alias] = tensors[name]
    reader.end()
    return Weights(tensors)


class _Reader:
    """A place in the bytes of a file."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def take(self, length: int, what: str) -> memoryview:
        piece = self._data[self._at : self._at + length]
        if len(piece) < length:
            raise ModelDamaged(f"the model file ends in the middle of {what}, at byte {self._at}")
        self._at += length
        return piece

    def u32(self, what: str) -> int:
        return int.from_bytes(self.take(4, what), "little")

    def name(self) -> str:
        (length,) = struct.unpack("<H", self.take(2, "a name"))
        text = bytes(self.take(length, "a name"))
        if not text.endswith(b"\x00") or not text[:-1].isascii():
            raise ModelDamaged(f"no name ends at byte {self._at} of the model file")
        return text[:-1].decode("ascii")

    def tensor(self, name: str) -> Tensor:
        rank = self.take(1, name)[0]
        if rank > _MAX_RANK:
            raise ModelDamaged(f"{name} has {rank} dimensions")
        shape = tuple(self.u32(name) for _ in range(rank))
        code = self.take(1, name)[0]
        dtype = _TYPES.get(code)
        if dtype is None:
            raise ModelUnsupported(
                f"{name} is stored in type {code}", fix="give a model in float16 or float32"
            )
        length = self.u32(name)
        if length != math.prod(shape) * dtype.itemsize:
            raise ModelDamaged(f"{name} has {length} bytes, which is not what its shape needs")
        return np.frombuffer(self.take(length, name), dtype=dtype).reshape(shape)

    def end(self) -> None:
        if self._at != len(self._data):
            raise ModelDamaged(f"the model file goes on after its end, at byte {self._at}")
