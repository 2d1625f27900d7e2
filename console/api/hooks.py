"""Webhook endpoints, as the API gives them."""

from msgspec import Struct

from console.api.scalars import At, Index
from console.web.hooks import Hook
from console.web.shown import iso


class DeliveryShape(Struct, frozen=True):
    """One attempt to post an event."""

    at: At
    index: Index
    type: str
    outcome: str
    took_ms: int


class WebhookShape(Struct, frozen=True):
    """A webhook endpoint, of its address only the host. Every entry up to `after` is behind it."""

    name: str
    host: str
    status: str
    reason: str
    types: list[str]
    runs: list[str]
    ceiling: str
    after: Index | None
    failures: int
    trouble: str
    dead: int
    attempts: list[DeliveryShape]


def webhook_shape(hook: Hook) -> WebhookShape:
    """A webhook endpoint."""
    return WebhookShape(
        name=hook.name,
        host=hook.host,
        status=hook.status,
        reason=hook.reason,
        types=list(hook.types),
        runs=list(hook.runs),
        ceiling=hook.ceiling,
        after=hook.after,
        failures=hook.failures,
        trouble=hook.trouble,
        dead=hook.dead,
        attempts=[
            DeliveryShape(iso(one.at), one.index, one.type, one.outcome.value, one.took_ms)
            for one in hook.attempts
        ],
    )
