"""Webhook endpoints as the webhooks' own database has them, for who looks after them.

Read, never written. Of an address only the host is told: the rest is often what lets one post
there. Where the component runs on another machine, its database is there, and this is empty.
"""

from contextlib import closing
from urllib.parse import urlsplit

from msgspec import Struct

from bus.folder import DataFolder
from projections.webhooks.endpoint import Attempt, Kept
from projections.webhooks.store import Store
from schemas.settings import Settings

ATTEMPTS = 5


class Hook(Struct, frozen=True):
    """An endpoint: how far it has come, what waits, and its last attempts, the newest first.

    Every entry up to `after` is behind it, None before its first; `dead` counts letters given up.
    """

    name: str
    host: str
    status: str
    reason: str
    types: tuple[str, ...]
    runs: tuple[str, ...]
    ceiling: str
    after: int | None
    failures: int
    trouble: str
    next_at: int
    dead: int
    attempts: tuple[Attempt, ...]


def hooks_of(folder: DataFolder, settings: Settings) -> tuple[Hook, ...]:
    """Every endpoint, by name. Raises `StoreTrouble`."""
    if settings.webhooks is None or not folder.webhook_file.exists():
        return ()
    with closing(Store(folder.webhook_file, settings.workspace)) as store:
        return tuple(
            _hook(
                kept,
                len(store.dead(kept.endpoint.name)),
                store.attempts(kept.endpoint.name, ATTEMPTS),
            )
            for kept in store.endpoints()
        )


def _hook(kept: Kept, dead: int, attempts: tuple[Attempt, ...]) -> Hook:
    endpoint, progress = kept.endpoint, kept.progress
    trouble = progress.trouble
    return Hook(
        name=endpoint.name,
        host=urlsplit(endpoint.url).hostname or "",
        status=progress.status.value,
        reason=progress.reason,
        types=endpoint.filter.types,
        runs=endpoint.filter.runs,
        ceiling=endpoint.filter.ceiling.value,
        after=progress.after,
        failures=trouble.failures if trouble is not None else 0,
        trouble=trouble.reason if trouble is not None else "",
        next_at=trouble.next_at if trouble is not None else 0,
        dead=dead,
        attempts=attempts,
    )
