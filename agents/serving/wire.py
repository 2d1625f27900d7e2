"""What passes over a run's socket: one JSON object a line, asked by `id` and answered by it.

The socket is a run's only way in. It carries proposals and what came of them: no key, no
credential, nothing that could be said in another run.
"""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from agents.errors import BadRequest
from schemas.names import Text
from schemas.tools import Effect

MAX_LINE_BYTES: Final = 512 * 1024

Id = Annotated[str, Meta(min_length=1, max_length=64)]


class _Asked(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="ask"):
    id: Id


class AskTools(_Asked, frozen=True, tag="tools"):
    """Which tools does the lease hold? Answered by `Offered`."""


class AskCall(_Asked, frozen=True, tag="call"):
    """Propose. Answered by `Answered`, after at most `wait_s` seconds of waiting for a person."""

    tool: str
    arguments: dict[str, Any]
    purpose: Text = ""
    wait_s: Annotated[float, Meta(ge=0, le=86_400)] = 0


class AskFinish(_Asked, frozen=True, tag="finish"):
    """Say that the work is done. Answered by `Answered` with the outcome `over`."""

    success: bool
    summary: Text = ""


class OfferedTool(Struct, frozen=True, kw_only=True):
    """A leased tool, in its declaration's words."""

    name: str
    summary: str
    arguments: dict[str, Any]
    effect: Effect


class _Said(Struct, frozen=True, kw_only=True, tag_field="said"):
    id: str


class Offered(_Said, frozen=True, tag="tools"):
    """The lease's tools, and the intent it was granted for."""

    run: str
    intent: str
    tools: tuple[OfferedTool, ...]


class Answered(_Said, frozen=True, tag="answer"):
    """What came of a call.

    `outcome` is confirmed, failed, unknown or refused; held where a person must decide, with
    `reason` the question; pending where nothing has come yet; unleased, busy or over where
    nothing was proposed. `receipt` is the digest of the `receipt.issued` event, in hexadecimal
    like `proposal`; `change` are the arguments that the judge would approve, `wanted` a person's
    words on what should be different.
    """

    outcome: str
    result: Any = None
    reason: str = ""
    fix: str = ""
    proposal: str = ""
    receipt: str = ""
    change: dict[str, Any] | None = None
    wanted: str = ""


Request = AskTools | AskCall | AskFinish
Answer = Offered | Answered

_REQUESTS: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
_ANSWERS: Final[msgspec.json.Decoder[Answer]] = msgspec.json.Decoder(Answer)


def read_request(line: bytes) -> Request:
    """Raises `BadRequest`."""
    try:
        return _REQUESTS.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("a line on the run's socket is no request") from error


def read_answer(line: bytes) -> Answer:
    """Raises `BadRequest`."""
    try:
        return _ANSWERS.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("a line on the run's socket is no answer") from error


def line_of(message: Request | Answer) -> bytes:
    """The message as it goes over the socket. Raises `BadRequest` where it is too long."""
    line = msgspec.json.encode(message) + b"\n"
    if len(line) > MAX_LINE_BYTES:
        raise BadRequest(f"a call of {len(line)} bytes is over {MAX_LINE_BYTES}", fix="shorten it")
    return line
