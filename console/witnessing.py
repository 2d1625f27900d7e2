"""`anyteam witness`'s shell: add-checkpoint over HTTP, and the last tree heads on disk.

A tree head is on disk before its cosignature leaves. One process owns the folder, and nothing is
awaited between looking and writing, so no request can roll another one back.
"""

import fcntl
import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.keyfile import ensure_key, read_secret, write_secret
from crypto.signing import Signer
from ledger.checkpoint import NoteKey
from ledger.cosignature import WitnessKey, cosign
from ledger.errors import WitnessStopped
from ledger.witness import MAX_REQUEST_BYTES, TreeHead, consider
from schemas.errors import UNREADABLE


class Witness:
    """One witness and its folder. Raises `WitnessStopped` where the folder is in use or damaged."""

    def __init__(self, folder: Path, name: str, logs: Sequence[NoteKey]) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(folder)
        self._folder = folder
        self._name = name
        self._signer = Signer.from_seed(ensure_key(folder / "witness.key"))
        self._logs: dict[str, list[NoteKey]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        self._seen = {origin: head for origin in self._logs if (head := self._read(origin))}

    @property
    def key(self) -> WitnessKey:
        """What auditors are given."""
        return WitnessKey(self._name, self._signer.public)

    @property
    def seen(self) -> Mapping[str, TreeHead]:
        """The last tree head cosigned for each log."""
        return self._seen

    def add_checkpoint(self, body: bytes, now_s: int) -> Response:
        """Answer one request, made at `now_s`."""
        answer = consider(body, self._logs, self._seen)
        content = answer.body
        if answer.seen is not None:
            write_secret(self._file(answer.seen.origin), msgspec.json.encode(answer.seen))
            self._seen[answer.seen.origin] = answer.seen
            content = cosign(answer.text, self._name, self._signer, now_s)
        return Response(content, answer.status, media_type=answer.kind)

    def close(self) -> None:
        """Let go of the folder."""
        self._lock.close()

    def _read(self, origin: str) -> TreeHead | None:
        path = self._file(origin)
        if not path.exists():
            return None
        try:
            head = msgspec.json.decode(read_secret(path), type=TreeHead)
        except UNREADABLE as error:
            raise WitnessStopped(
                f"{path} is damaged: {error}",
                fix="restore it from your backup: without it two histories could be cosigned",
            ) from error
        if head.origin != origin:
            raise WitnessStopped(f"{path} is of {head.origin!r}", fix="restore it from your backup")
        return head

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.json"


def app_of(witness: Witness) -> Starlette:
    """The witness's HTTP interface."""

    async def add_checkpoint(request: Request) -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_REQUEST_BYTES:
                return Response("too large\n", 413)
        return witness.add_checkpoint(bytes(body), int(time.time()))

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])


def _locked(folder: Path) -> IO[bytes]:
    lock = (folder / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise WitnessStopped(
            f"{folder} belongs to a witness that is running", fix="give each witness its own folder"
        ) from error
    return lock
