"""Asking a witness to cosign a checkpoint, over HTTP, with the proof that it asks for."""

import httpx

from ledger.checkpoint import b64
from ledger.cosignature import WitnessKey
from ledger.errors import BadCheckpoint, NotWitnessed
from ledger.feeding import cosignature_in
from ledger.tiles import TileTree
from ledger.witness import request_of

ATTEMPTS = 3


def cosignature_of(
    client: httpx.Client, prefix: str, key: WitnessKey, note: str, tree: TileTree
) -> str:
    """The witness's line for the checkpoint in `note`, whose tree is `tree`; verified.

    Raises `NotWitnessed` where it refuses, cannot be reached, or answers with anything else.
    """
    old = 0
    for _ in range(ATTEMPTS):
        path = [b64(step) for step in tree.consistency(old)] if 0 < old < tree.size else []
        answer = _post(client, prefix, request_of(old, path, note))
        if answer.status_code == httpx.codes.OK:
            return _own_line(key, note, answer.text)
        if answer.status_code != httpx.codes.CONFLICT:
            what = answer.text.strip()[:200]
            raise NotWitnessed(f"{key.name} answers {answer.status_code}: {what}")
        last = answer.text.strip()
        if not last.isdecimal() or len(last) > 19:
            raise NotWitnessed(f"{key.name} answers 409 without its size")
        if int(last) > tree.size:
            raise NotWitnessed(
                f"{key.name} has cosigned {last} entries of this ledger, {tree.size} are here",
                fix="this ledger was cut short, or another history of it was shown to the witness",
            )
        if int(last) == old:
            break
        old = int(last)
    raise NotWitnessed(
        f"{key.name} has cosigned another ledger of {old} entries under this name",
        fix="two histories exist: keep both checkpoints, stop writing and find out",
    )


def _own_line(key: WitnessKey, note: str, lines: str) -> str:
    try:
        return cosignature_in(key, note, lines)
    except BadCheckpoint as error:
        raise NotWitnessed(f"{key.name} answers with no cosignature: {error.what}") from error


def _post(client: httpx.Client, prefix: str, body: bytes) -> httpx.Response:
    try:
        return client.post(f"{prefix.rstrip('/')}/add-checkpoint", content=body)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotWitnessed(f"{prefix} cannot be reached: {error}") from error
