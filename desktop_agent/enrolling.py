"""Asking to be enrolled: the one connection that a device makes before it has an identity.

The code says by which certificate the installation is known; nothing is said to another.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Final

import msgspec

from bus.tls import shown_by, stranger_context
from desktop_agent.enrolled import Enrolled, is_enrolled, keep, new_keys
from desktop_agent.errors import EnrolmentFailed, NotEnrolled
from schemas.enrolment import (
    MAX_LINE_BYTES,
    Admission,
    Application,
    Code,
    Declined,
    decode_answer,
)
from schemas.errors import UNREADABLE

_PATIENCE_S: Final = 60.0


async def enrol(folder: Path, code: Code) -> Enrolled:
    """Become the device that the code was made for. Raises `EnrolmentFailed`."""
    if is_enrolled(folder):
        raise NotEnrolled(
            f"{folder} belongs to an enrolled device already", fix="choose another with --home"
        )
    keys, application = new_keys(code.secret)
    answer = await _asked(code, application)
    if isinstance(answer, Declined):
        raise EnrolmentFailed(
            f"the installation declined: {answer.why}", fix="ask for another code"
        )
    enrolled = Enrolled(keys=keys, admission=answer)
    keep(folder, enrolled)
    return enrolled


async def _asked(code: Code, application: Application) -> Admission | Declined:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection(
                code.host, code.port, ssl=stranger_context(), limit=MAX_LINE_BYTES
            )
            try:
                if shown_by(writer.get_extra_info("ssl_object")) != code.certificate:
                    raise EnrolmentFailed(
                        f"{code.host} shows another certificate than the code's",
                        fix="somebody may stand between: do not go on; ask your admin",
                    )
                writer.write(msgspec.json.encode(application) + b"\n")
                await writer.drain()
                return decode_answer(await reader.readline())
            finally:
                writer.close()
    except (OSError, ssl.SSLError, TimeoutError) as error:
        raise EnrolmentFailed(
            f"nobody answers at {code.host}:{code.port}: {error or 'too late'}",
            fix="`anyteam device invite` must still be waiting, and be reachable from here",
        ) from error
    except (*UNREADABLE, ValueError) as error:
        raise EnrolmentFailed(f"the answer is none: {error}", fix="ask for another code") from error
