"""What people do with endpoints: add, rotate, replay, try out. Behind `anyteam webhook`.

Everything is checked before anything is kept, and a secret is told once, by what is returned.
"""

import secrets
from collections.abc import Iterable
from contextlib import aclosing

from projections.webhooks.endpoint import Endpoint, Kept, TlsChoice
from projections.webhooks.errors import NothingToReplay
from projections.webhooks.filters import Filter
from projections.webhooks.payload import test_payload
from projections.webhooks.progress import Progress, Result, replayed, sent_again
from projections.webhooks.sealed import seal_secret
from projections.webhooks.service import keys_of, line_of
from projections.webhooks.signature import headers_of, key_of, new_secret
from projections.webhooks.store import Store
from projections.webhooks.target import admitted, networks_of, target_of, written_address
from projections.webhooks.tls import context_of
from schemas.names import SECOND, check_name
from schemas.settings import WebhookSettings


def add_endpoint(
    store: Store,
    key: bytes,
    workspace: str,
    settings: WebhookSettings,
    *,
    name: str,
    url: str,
    chosen: Filter,
    tls: TlsChoice,
    start: int | None,
    secret: str,
    now: int,
) -> str:
    """Keep a new endpoint; its secret, made where `secret` is empty.

    It gets what comes after it was first seen, or everything from ledger index `start` on.
    Raises `BadEndpoint`, `BadName` or `EndpointExists`.
    """
    check_name(name, "endpoint")
    target = target_of(url)
    address = written_address(target)
    if address is not None:
        admitted(target, (address,), networks_of(settings.private))
    context_of(tls)
    told = secret or new_secret()
    key_of(told)
    endpoint = Endpoint(name=name, url=url, filter=chosen, tls=tls, made_at=now)
    progress = Progress(after=None if start is None else start - 1)
    store.add(endpoint, progress, seal_secret(told, key, workspace, name))
    return told


def rotate_secret(
    store: Store, key: bytes, workspace: str, name: str, *, overlap_s: int, now: int
) -> str:
    """A new secret; the one so far signs beside it for `overlap_s` seconds. Raises `NoEndpoint`."""
    told = new_secret()
    store.rotate(name, seal_secret(told, key, workspace, name), now, now + overlap_s * SECOND)
    return told


def replay_from(store: Store, name: str, index: int) -> Kept:
    """Send everything again from `index` on; an index beyond the ledger's end stands for its end.

    Raises `NoEndpoint` or `NothingToReplay`.
    """
    if index < 1:
        raise NothingToReplay(f"there is no entry {index}", fix="entries are counted from 1")
    return store.change(name, lambda progress: replayed(progress, index))


def replay_dead(store: Store, name: str, chosen: Iterable[int]) -> tuple[int, ...]:
    """Send dead letters again, all where none is `chosen`; their indexes.

    Raises `NoEndpoint` or `NothingToReplay`.
    """
    dead = tuple(letter.index for letter in store.dead(name))
    wanted = tuple(chosen) or dead
    stray = sorted(set(wanted) - set(dead))
    if stray:
        raise NothingToReplay(
            f"{name} has no dead letter {stray[0]}", fix=f"anyteam webhook dead {name}"
        )
    if wanted:
        store.change(name, lambda progress: sent_again(progress, wanted))
    return wanted


async def try_out(
    kept: Kept, key: bytes, workspace: str, settings: WebhookSettings, now: int
) -> Result:
    """Post one test message; what came of it. Raises `BadEndpoint` or `SecretUnreadable`."""
    keys = [one.key for one in keys_of(kept, key, workspace) if not one.until or one.until > now]
    body = test_payload(workspace, kept.endpoint.name, now)
    headers = headers_of(f"test_{secrets.token_hex(16)}", now // SECOND, body, keys)
    async with aclosing(line_of(kept, settings)) as line:
        return await line.post(body, headers)
