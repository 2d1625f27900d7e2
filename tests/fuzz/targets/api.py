"""What programs send to the HTTP API: bodies, cursors, keys, tokens."""

from console.api import asks
from console.api.answers import key_from
from console.api.bearers import Bearers
from console.api.errors import ApiError
from console.api.paging import cursor_of, key_of
from console.api.serving import _fitting
from console.tokens import PREFIX
from console.view.state import Workspace
from schemas.events import AnyBody
from tests.fuzz.target import Target

_WISHES = (
    (asks.RunWish, b'{"agent":"a","summary":"s","tools":["x.y"],"effects":["egress"],"ttl_s":9}'),
    (asks.Answer, b'{"decision":"deny","note":"no"}'),
    (asks.HaltWish, b'{"scope":"run","target":"r-1","reason":"x"}'),
    (asks.ReleaseWish, b'{"reason":"over"}'),
)


def targets() -> tuple[Target, ...]:
    """The targets of this room."""
    return (
        *(
            Target(
                name=f"API body {shape.__name__}",
                seeds=(seed,),
                decode=lambda data, shape=shape: _fitting(data, shape),  # type: ignore[misc]
                errors=(ApiError,),
            )
            for shape, seed in _WISHES
        ),
        Target(
            name="API cursor",
            seeds=(cursor_of("runs", 41).encode(), cursor_of("run.r-1", 7).encode()),
            decode=lambda data: key_of("runs", data.decode("latin-1")),
            errors=(ApiError,),
        ),
        Target(
            name="Idempotency-Key",
            seeds=(b'"8e03978e-40d5-43dd"', b"8e03978e"),
            decode=lambda data: key_from(data.decode("latin-1")),
            errors=(ApiError,),
        ),
        Target(
            name="API token",
            seeds=(f"Bearer {PREFIX}{'s' * 43}".encode(),),
            decode=_token,
            errors=(ApiError,),
        ),
    )


async def _unrecorded(body: AnyBody) -> None:
    """Nobody comes as far."""


_BEARERS = Bearers(Workspace("acme"), _unrecorded, 1_000_000)


def _token(data: bytes) -> object:
    return _BEARERS.token(data.decode("latin-1"), "peer")
