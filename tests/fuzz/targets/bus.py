"""What comes over the bus, and what a component keeps of it: any client may have written it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import nkeys

from agents.orchestration import OrchestratorState
from agents.serving.wire import AskCall, AskFinish, Offered, line_of, read_answer, read_request
from bus.archive import ArchivedEpoch, LedgerArchive, Segment
from bus.boot import read_confinement
from bus.errors import BusError
from bus.identity import (
    UserIdentity,
    claims_of,
    format_creds,
    key_from_seed,
    parse_creds,
    sign_claims,
)
from bus.outbox import Kept, Outbox
from bus.snapshot import Folded, decode, encode
from crypto.errors import Unreadable
from crypto.opening import open_body
from crypto.trust import Trust
from ledger.opening import opening_in
from schemas.confinement import Confinement
from schemas.content import Plain, opened
from schemas.envelope import decode_envelope
from schemas.errors import AnyTeamError, SchemaError
from schemas.events import decode_event
from tests.fuzz import seeds
from tests.fuzz.target import Target

EPOCH = 1


def targets() -> tuple[Target, ...]:
    """The targets of this room."""
    return (
        Target(
            name="envelope",
            seeds=seeds.bodies(),
            decode=decode_envelope,
            errors=(SchemaError,),
        ),
        Target(name="event", seeds=seeds.payloads(), decode=decode_event, errors=(SchemaError,)),
        Target(name="message", seeds=seeds.bodies(), decode=open_body, errors=(Unreadable,)),
        Target(name="stream", seeds=_streams(), decode=_stream, errors=(AnyTeamError,)),
        Target(name="epoch opening", seeds=seeds.bodies(), decode=opening_in, errors=()),
        Target(name="content", seeds=(b'{"a":[1,"b",null]}', b'"x"'), decode=_content, errors=()),
        Target(name="NATS token", seeds=_tokens(), decode=_text(claims_of), errors=(BusError,)),
        Target(name="NATS creds", seeds=_creds(), decode=_text(parse_creds), errors=(BusError,)),
        Target(name="outbox", seeds=(_kept(),), decode=_file("outbox", _outbox)),
        Target(name="archive manifest", seeds=(_manifest(),), decode=_manifest_read),
        Target(name="archive segment", seeds=(_segment(),), decode=_segment_read),
        Target(name="archive seals", seeds=(_seals(),), decode=_seals_read),
        Target(
            name="snapshot state",
            seeds=(encode(OrchestratorState(workspace="acme")),),
            decode=lambda data: decode(data, OrchestratorState),
        ),
        Target(
            name="snapshot",
            seeds=(encode(_folded()),),
            decode=lambda data: decode(data, Folded),
        ),
        Target(
            name="confinement", seeds=(msgspec.json.encode(Confinement()),), decode=read_confinement
        ),
        Target(name="run socket request", seeds=_requests(), decode=read_request),
        Target(name="run socket answer", seeds=_answers(), decode=read_answer),
    )


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _file(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def written(data: bytes) -> object:
        path = seeds.scratch() / name
        path.write_bytes(data)
        path.chmod(0o600)
        return read(path)

    return written


def _content(data: bytes) -> object:
    return opened(Plain(data))


def _streams() -> tuple[bytes, ...]:
    """Whole small streams, as one message after another."""
    entries = [(entry.subject, entry.body) for entry in seeds.ledger().entries]
    return tuple(msgspec.msgpack.encode(entries[: 4 + at]) for at in range(0, len(entries), 6))


def _stream(data: bytes) -> None:
    """A stream's entries, one after another, into a reader's trust: each is taken or rejected."""
    try:
        entries = msgspec.msgpack.decode(data, type=list[tuple[str, bytes]])
    except (ValueError, RecursionError):
        return
    trust = Trust(seeds.ledger().workspace, seeds.ledger().root_public)
    for subject, body in entries:
        try:
            trust.accept(subject, body)
        except AnyTeamError:
            continue


def _identity() -> UserIdentity:
    account, user = (
        key_from_seed(nkeys.encode_seed(bytes(32), kind).decode())
        for kind in (nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER)
    )
    claims = {"sub": user.public, "name": "x", "iat": 1, "nats": {"pub": {"allow": ["a.>"]}}}
    return UserIdentity(sign_claims(account, claims), user.seed, user.public)


def _tokens() -> tuple[bytes, ...]:
    return (_identity().jwt.encode(), b"e30.e30.e30")


def _creds() -> tuple[bytes, ...]:
    return (format_creds(_identity()).encode(),)


def _kept() -> bytes:
    records = [
        msgspec.msgpack.encode(Kept(f"id-{at}", f"id-{at}", entry.subject, entry.body))
        for at, entry in enumerate(seeds.ledger().entries[:4])
    ]
    return b"".join(len(record).to_bytes(4, "big") + record for record in records)


def _outbox(path: Path) -> None:
    outbox = Outbox(path)
    outbox.close()


class _OneBlob:
    """Blobs that all are these bytes, under whatever name is right for them."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, name: str) -> bytes | None:
        return self._data

    def write(self, name: str, data: bytes) -> None:
        raise AssertionError("nothing is written here")


def _epoch(segment: str) -> ArchivedEpoch:
    return ArchivedEpoch(
        format="anyteam epoch v1",
        workspace="acme",
        epoch=EPOCH,
        first=1,
        last=3,
        segments=(Segment(segment, 1, 3),),
        seals=segment,
        seals_first=1,
        seals_last=1,
    )


def _manifest() -> bytes:
    return msgspec.json.encode(_epoch("0" * 64))


def _manifest_read(data: bytes) -> object:
    return LedgerArchive(_OneBlob(data), "acme").epoch(EPOCH)


def _segment() -> bytes:
    records = [
        msgspec.msgpack.encode((entry.index, entry.subject, entry.body))
        for entry in seeds.ledger().entries[:3]
    ]
    return b"".join(len(record).to_bytes(4, "big") + record for record in records)


def _segment_read(data: bytes) -> None:
    archive = LedgerArchive(_OneBlob(data), "acme")
    for _ in archive.segments(_epoch(hashlib.sha256(data).hexdigest())):
        pass


def _seals() -> bytes:
    return b"".join(msgspec.json.encode(note) + b"\n" for note in seeds.ledger().seals)


def _seals_read(data: bytes) -> object:
    archive = LedgerArchive(_OneBlob(data), "acme")
    return archive.seals(_epoch(hashlib.sha256(data).hexdigest()))


def _folded() -> Folded:
    trust = Trust("acme", seeds.ledger().root_public)
    return Folded(index=0, kind="x", state=b"\x80", trust=trust.known(), fences={"a": 1})


def _requests() -> tuple[bytes, ...]:
    call = AskCall(id="1", tool="files.write", arguments={"path": "a", "n": [1, 2]}, purpose="x")
    return (line_of(call), line_of(AskFinish(id="2", success=True)))


def _answers() -> tuple[bytes, ...]:
    return (line_of(Offered(id="1", run="r", intent="i", tools=())),)
