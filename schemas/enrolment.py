"""Enrolling a device: the one-time code, what the device asks, and what it is given.

The code says where to ask, by which certificate the right one is known, and a secret that is
good once. Private keys stay where they were made: the device sends public ones.
"""

import base64
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from schemas.errors import UNREADABLE, SchemaError
from schemas.names import Digest, Name, PublicKey

MAX_LINE_BYTES: Final = 256 * 1024
_PREFIX: Final = "enrol-"


class BadCode(SchemaError):
    """A text that is no enrolment code."""

    exit_code = 2


class Code(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """`certificate` is the SHA-256 of what the asker must be shown before it says anything."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)]
    certificate: Digest
    secret: Annotated[bytes, Meta(min_length=16, max_length=16)]

    def __repr__(self) -> str:
        return "Code()"


class Application(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the device shows: its secret, and the public parts of three keys of its own.

    `user` is a public nkey, `tls` a public key in PEM.
    """

    secret: bytes
    event_key: PublicKey
    user: str
    tls: Annotated[bytes, Meta(max_length=4096)]

    def __repr__(self) -> str:
        return "Application()"


class Admission(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="admission"):
    """What the device is given. `root` is what every event verifies from; `captures` are the keys
    of its captures' content, the first's first; `token_key` makes its tokens the workspace's own.
    """

    workspace: Name
    device: Name
    rep: Name
    url: str
    root: PublicKey
    jwt: str
    authority: bytes
    certificate: bytes
    token_key: Annotated[bytes, Meta(min_length=32, max_length=32)]
    captures: tuple[bytes, ...]

    def __repr__(self) -> str:
        return "Admission()"


class Declined(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="declined"):
    """Why not."""

    why: str


def format_code(code: Code) -> str:
    """The code as it is copied from one screen to another."""
    return _PREFIX + base64.urlsafe_b64encode(msgspec.msgpack.encode(code)).decode().rstrip("=")


def parse_code(text: str) -> Code:
    """The inverse. Raises `BadCode`."""
    body = text.strip().removeprefix(_PREFIX)
    try:
        data = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        return msgspec.msgpack.decode(data, type=Code)
    except (ValueError, *UNREADABLE) as error:
        raise BadCode(
            "this is no enrolment code", fix="copy all of what `anyteam device invite` printed"
        ) from error


def encode_answer(answer: Admission | Declined) -> bytes:
    """One line."""
    return msgspec.json.encode(answer) + b"\n"


def decode_answer(line: bytes) -> Admission | Declined:
    """Raises one of `UNREADABLE`."""
    answer: Admission | Declined = msgspec.json.decode(line, type=Admission | Declined)
    return answer
