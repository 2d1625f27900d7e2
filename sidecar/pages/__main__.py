"""The process that reads one page: from standard input, to standard output, within limits."""

import resource
import sys

import msgspec

from sidecar.pages.reader import MEMORY_BYTES, SECONDS, Asked
from sidecar.pages.text import page_of


def main() -> None:
    """Read a page, within bounds of memory and time, and able to write no file."""
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    page = page_of(asked.body, asked.type, asked.url)
    sys.stdout.buffer.write(msgspec.msgpack.encode(page))


if __name__ == "__main__":
    main()
