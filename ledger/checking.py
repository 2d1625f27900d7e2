"""`python -m ledger.checking [sodium]`: checks signatures in batches until its input ends.

With `sodium` by that library, whose no is not the last word (`crypto.sodium`). It holds no key
and decides nothing (`ledger.signatures`); `ledger.spread` starts it. It imports almost nothing,
since a helper that takes long to start is of no use to a short ledger.

A batch is one frame: the messages' lengths (a frame of machine words), then the public keys, the
signatures and the messages of all its checks. Its answer is a frame of one byte a check, 1 where
the signature holds and 0 where not, in order.
"""

import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Final

Check = tuple[bytes, bytes, bytes]
"""(public key of 32 bytes, message, signature of 64 bytes)."""

LENGTH_BYTES: Final = 4
_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64


def frame(data: bytes) -> bytes:
    """`data` with its length before it, 4 bytes, big-endian."""
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def frame_of(checks: Sequence[Check]) -> bytes:
    """A batch as it goes to a helper."""
    publics, messages, signatures = zip(*checks, strict=True) if checks else ((), (), ())
    lengths = array("L", map(len, messages))
    head = (frame(lengths.tobytes()), *publics, *signatures)
    return frame(b"".join((*head, *messages)))


def checks_in(data: bytes) -> Iterator[Check]:
    """The checks in a batch, its own length taken off."""
    size = int.from_bytes(data[:LENGTH_BYTES], "big")
    lengths = array("L", data[LENGTH_BYTES : LENGTH_BYTES + size])
    key = LENGTH_BYTES + size
    signature = key + _KEY_BYTES * len(lengths)
    message = signature + _SIGNATURE_BYTES * len(lengths)
    for length in lengths:
        yield (
            data[key : (key := key + _KEY_BYTES)],
            data[message : (message := message + length)],
            data[signature : (signature := signature + _SIGNATURE_BYTES)],
        )


def read_frame(read: Callable[[int], bytes]) -> bytes:
    """The next frame's data; `read` waits for so many bytes, or gives fewer at the end.

    Raises `EOFError` where there is no frame, or not a whole one.
    """
    prefix = read(LENGTH_BYTES)
    length = int.from_bytes(prefix, "big")
    data = read(length)
    if len(prefix) < LENGTH_BYTES or len(data) < length:
        raise EOFError
    return data


Holds = Callable[[bytes, bytes, bytes], bool]
"""(public key, message, signature): whether it holds."""


def serve(source: BinaryIO, sink: BinaryIO, holds: Holds) -> None:
    """Answer each batch in turn."""
    try:
        while True:
            checks = checks_in(read_frame(source.read))
            sink.write(frame(bytes(holds(*check) for check in checks)))
            sink.flush()
    except (EOFError, OSError, KeyboardInterrupt):
        # Whoever asked is gone, or stops us all.
        return


if __name__ == "__main__":
    # One of them, since a helper imports as little as it can.
    if sys.argv[1:] == ["sodium"]:
        from crypto.sodium import says_yes as holds
    else:
        from crypto.ed25519 import holds
    serve(sys.stdin.buffer, sys.stdout.buffer, holds)
