"""Spoiling valid bytes: by the byte, by the line, and inside the structure that they have.

What parses as MessagePack or JSON is changed as the tree it is and written again, also inside bytes
that are MessagePack themselves, so that a change gets past the outer decoders. All chance comes
from the generator that is given, so a seed is a whole campaign.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

import msgspec

MAX_BYTES: Final = 256 * 1024
_NUMBERS: Final = (0, 1, -1, 127, 128, 255, 256, 2**31, 2**32, 2**53 + 1, 2**63 - 1, -(2**63))
_HUGE: Final = (10**5000, 2**64, -(2**70), float("inf"), float("nan"), 1e308, -0.0)
_DEEP: Final = "nested deeper than a decoder can follow"
_DEPTH: Final = 5_000
_TEXTS: Final = (
    "", " ", "\x00", "\n", "\n\n", "..", "/", "a" * 300, "é", "\u202e", "\U0001f600", "0", "-1",
    "9" * 5000, "٣", "null", "=", "====", "1e999", "%s", "\\", '"', "'", "--", "\ufeff", "ws.>",
    "2026-02-30T25:61:61Z", "[" * 2000, "head ", "—", "https://", "http://[::1", "1" * 20,
)  # fmt: skip
_PIECES: Final = (
    b"", b"\x00", b"\xff", b"\xff" * 8, b"\xc1", b"\xdd\xff\xff\xff\xff", b"\xdf\x00\xff\xff\xff",
    b"\xc6\xff\xff\xff\xff", b"\x91" * 3000, b"\x81\xa1a" * 2000, b"[" * 5000, b'{"a":' * 3000,
    b"\n", b"\n\n", b"\r\n", b"\xe2\x80\x94 ", b"\xed\xa0\x80", b"=", b"9" * 5000, b"1e400",
    b"\xd4\xff\x00", b"\xd6\xff\x00\x00\x00\x00", b"\xc7\x0c\xff" + b"\xff" * 12, b"NaN",
    b"\\ud800", b"\x7f\xff\xff\xff", b"<!DOCTYPE x [<!ENTITY y 'z'>]>", b"&#0;", b"*a", b"&a ",
)  # fmt: skip

Change = Callable[[Random, bytes, tuple[bytes, ...]], bytes]


def mutated(random: Random, seeds: tuple[bytes, ...]) -> bytes:
    """One of the seeds with up to four things changed."""
    data = random.choice(seeds)
    for _ in range(random.choice((1, 1, 1, 2, 2, 4))):
        data = random.choice(_CHANGES)(random, data, seeds)[:MAX_BYTES]
    return data


def _flipped(random: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    if not data:
        return data
    made = bytearray(data)
    for _unused in range(random.choice((1, 1, 2, 8))):
        made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def _put(random: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    at = random.randint(0, len(data))
    return data[:at] + random.choice(_PIECES) + data[at + random.choice((0, 0, 1, 4)) :]


def _cut(random: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    first, second = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    return random.choice((data[:first], data[first:], data[:first] + data[second:]))


def _repeated(random: Random, data: bytes, _: tuple[bytes, ...]) -> bytes:
    first, second = sorted((random.randint(0, len(data)), random.randint(0, len(data))))
    return data[:second] + data[first:second] * random.choice((1, 2, 50)) + data[second:]


def _spliced(random: Random, data: bytes, seeds: tuple[bytes, ...]) -> bytes:
    other = random.choice(seeds)
    return data[: random.randint(0, len(data))] + other[random.randint(0, len(other)) :]


def _relined(random: Random, data: bytes, seeds: tuple[bytes, ...]) -> bytes:
    """Lines dropped, doubled, swapped, or taken from another seed."""
    lines = data.split(b"\n")
    at, other = random.randrange(len(lines)), random.randrange(len(lines))
    match random.randrange(5):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            lines[at] = random.choice(random.choice(seeds).split(b"\n"))
        case _:
            words = lines[at].split(b" ")
            words[random.randrange(len(words))] = random.choice(_TEXTS).encode()
            lines[at] = b" ".join(words)
    return b"\n".join(lines)


def _restructured(random: Random, data: bytes, seeds: tuple[bytes, ...]) -> bytes:
    """The tree that the bytes are, with a node changed; other bytes by the byte."""
    for decode, encode in ((json.loads, _json), (_unpacked, _packed)):
        try:
            tree = decode(data)
            if isinstance(tree, dict | list):
                return encode(_grown(random, tree))
        except (ValueError, TypeError, OverflowError, RecursionError, msgspec.MsgspecError):
            continue
    return _flipped(random, data, seeds)


def _grown(random: Random, node: Any, depth: int = 0) -> Any:
    """The tree with one node changed, at any depth."""
    inside = _inside(node)
    if inside is not None and random.random() < 0.8:
        return _packed(_grown(random, inside, depth + 1))
    if isinstance(node, dict) and node and random.random() < 0.9:
        key = random.choice(list(node))
        match random.randrange(8):
            case 0:
                return {k: v for k, v in node.items() if k != key}
            case 1:
                return {**node, random.choice(_TEXTS): node[key]}
            case 2:
                return {**node, key: node[random.choice(list(node))]}
            case _:
                return {**node, key: _grown(random, node[key], depth + 1)}
    if isinstance(node, list) and node and random.random() < 0.9:
        at = random.randrange(len(node))
        match random.randrange(8):
            case 0:
                return node[:at] + node[at + 1 :]
            case 1:
                return node[:at] + [node[at]] * random.choice((2, 3, 2000)) + node[at:]
            case _:
                return [*node[:at], _grown(random, node[at], depth + 1), *node[at + 1 :]]
    if random.random() < 0.05:
        return _DEEP
    return _value(random, node)


def _value(random: Random, node: Any) -> Any:
    """Another value in a leaf's place, mostly of its own kind."""
    if random.random() < 0.2:
        return random.choice((None, True, [], {}, 0, "", b"", 1.5))
    if isinstance(node, bool) or node is None:
        return random.choice((not node, 0, ""))
    if isinstance(node, int | float):
        near = (node + 1, node - 1, -node)
        return random.choice((*_NUMBERS, *near, *(_HUGE if random.random() < 0.3 else ())))
    if isinstance(node, bytes):
        return random.choice(
            (node[:-1], node + b"\x00", b"", bytes(len(node)), _flipped(random, node, ()))
        )
    if isinstance(node, str):
        at = random.randint(0, len(node))
        piece = random.choice(_TEXTS)
        return random.choice((piece, node[:at] + piece + node[at:], node[:at], node + node))
    return random.choice(_TEXTS)


def _inside(node: Any) -> Any:
    """What lies in bytes that are MessagePack of more than one value; None of others."""
    if not isinstance(node, bytes) or len(node) < 8:
        return None
    try:
        found = _unpacked(node)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return None
    return found if isinstance(found, dict | list) else None


def _json(tree: Any) -> bytes:
    text = json.dumps(tree).encode("utf-8", "surrogatepass")
    return text.replace(json.dumps(_DEEP).encode(), b"[" * _DEPTH + b"]" * _DEPTH)


def _packed(tree: Any) -> bytes:
    data = msgspec.msgpack.encode(tree)
    return data.replace(msgspec.msgpack.encode(_DEEP), b"\x91" * _DEPTH + b"\xc0")


def _unpacked(data: bytes) -> Any:
    return msgspec.msgpack.decode(data)


_CHANGES: Final[tuple[Change, ...]] = (
    _flipped,
    _put,
    _cut,
    _repeated,
    _spliced,
    _relined,
    _restructured,
    _restructured,
    _restructured,
)
