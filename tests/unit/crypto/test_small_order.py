"""Libsodium's yes is OpenSSL's yes, for honest signatures and for those made to tell them apart.

Whoever holds a key may sign with points of small order mixed in, which some libraries take and
others do not (Chalkias, Garillot, Nikolaenko: Taming the Many EdDSAs, 2020). The arithmetic is
written from RFC 8032, section 5.1.
"""

import hashlib
import random
from collections.abc import Iterator

from crypto import ed25519, sodium
from crypto.signing import Signer

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int]
ZERO: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    (x1, y1), (x2, y2) = a, b
    k = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, P)
    return x % P, y % P


def times(n: int, point: Point) -> Point:
    total = ZERO
    while n:
        if n & 1:
            total = add(total, point)
        point, n = add(point, point), n >> 1
    return total


def with_y(y: int) -> Point | None:
    """A point of the curve with this y (section 5.1.3), where there is one."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    for x in (root, root * pow(2, (P - 1) // 4, P) % P):
        if (x * x - square) % P == 0:
            return (x if x % 2 == 0 else P - x), y
    return None


def encoded(point: Point, *, canonical: bool = True) -> bytes:
    x, y = point
    return ((y if canonical else y + P) | (x & 1) << 255).to_bytes(32, "little")


BASE = with_y(4 * pow(5, -1, P) % P)
assert BASE is not None


def smallest() -> Point:
    """A point of order 8."""
    for y in range(2, 100):
        if (point := with_y(y)) and times(4, found := times(L, point)) != ZERO:
            return found
    raise AssertionError


SMALL = [times(n, smallest()) for n in range(8)]


def signed(a: int, public: bytes, r_point: bytes, r: int, message: bytes) -> bytes:
    h = int.from_bytes(hashlib.sha512(r_point + public + message).digest(), "little") % L
    return r_point + ((r + h * a) % L).to_bytes(32, "little")


def mixed() -> Iterator[tuple[bytes, bytes, bytes]]:
    """Signatures by a scalar that we know, small points mixed into the key, the nonce, or both."""
    chance = random.Random(2020)
    a, r = chance.randrange(L), chance.randrange(L)
    assert BASE is not None
    key, nonce = times(a, BASE), times(r, BASE)
    for in_key in SMALL:
        for in_nonce in SMALL:
            public, point = encoded(add(key, in_key)), encoded(add(nonce, in_nonce))
            # Whether the small parts cancel depends on the hash: several messages for each.
            for message in (b"0", b"1", b"2", b"3"):
                yield public, message, signed(a, public, point, r, message)


def degenerate() -> Iterator[tuple[bytes, bytes, bytes]]:
    """Keys and nonces that are nothing but small, canonical or not, with a scalar of zero."""
    for key in SMALL:
        for nonce in SMALL:
            # 19 values of y have a second encoding; of the small points 0 and 1 are among them.
            for odd in (False, True):
                again = odd and key[1] < 19
                public = encoded(key, canonical=not again)
                yield public, b"any", encoded(nonce) + bytes(32)


def test_what_libsodium_takes_openssl_takes() -> None:
    cases = [*mixed(), *degenerate()]
    taken = [case for case in cases if sodium.says_yes(*case)]
    assert all(ed25519.holds(*case) for case in taken)
    # It takes some of them, and refuses some that OpenSSL takes: the cases are not all of a kind.
    assert 0 < len(taken) < sum(ed25519.holds(*case) for case in cases) < len(cases)


def test_a_signature_that_runs_into_the_message_is_none() -> None:
    signer = Signer.from_seed(bytes(32))
    signature = signer.sign_raw(b"message")
    assert not sodium.says_yes(signer.public, b"ssage", signature + b"me")
    assert not sodium.says_yes(signer.public, signature[60:] + b"message", signature[:60])
