"""Having a page read by a process of its own, which holds nothing and is ended when it is slow.

A page comes from anybody. Its parser is pure Python, so that no flaw in it is a way to the
credentials here; and it can be kept busy for minutes by a few kilobytes made for that, so it
runs where neither the time nor the memory it takes is the sidecar's. See decision 0027.
"""

import asyncio
import sys
from typing import Final

import msgspec
from msgspec import Struct

from sidecar.pages.page import Page

SECONDS: Final = 8
MEMORY_BYTES: Final = 512 * 1024 * 1024


class Asked(Struct, frozen=True):
    """A page to read: its bytes, its content type, and where it came from."""

    body: bytes
    type: str
    url: str


async def read_page(
    body: bytes, content_type: str, url: str, *, timeout_s: float = SECONDS
) -> Page | None:
    """What there is to read, or None where that cannot be told within time and memory."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-m", "sidecar.pages"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
    )
    try:
        async with asyncio.timeout(timeout_s):
            asked = msgspec.msgpack.encode(Asked(body, content_type, url))
            answer, _ = await process.communicate(asked)
        return msgspec.msgpack.decode(answer, type=Page)
    except (TimeoutError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
