"""How values are written on a page: times, amounts, digests, durations."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any, Final

from schemas.actions import LayerResult

_MILLION: Final = 1_000_000


def clock(at: int) -> str:
    """ns since the epoch as a time of day, UTC."""
    return _utc(at).strftime("%H:%M:%S")


def moment(at: int) -> str:
    """ns since the epoch as a date and time, UTC."""
    return _utc(at).strftime("%Y-%m-%d %H:%M:%S")


def iso(at: int) -> str:
    """ns since the epoch for a `datetime` attribute (RFC 3339)."""
    return _utc(at).isoformat().replace("+00:00", "Z")


def span(ns: int) -> str:
    """A duration, in the two units that matter."""
    ms = ns / _MILLION
    if ms < 1_000:
        return f"{ms:.0f} ms"
    seconds = ms / 1_000
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"


def money(millionths: int) -> str:
    """An amount in the policy's currency."""
    return f"{millionths / _MILLION:,.2f}"


def short(digest: bytes) -> str:
    """A digest's beginning, in hex."""
    return digest.hex()[:12]


def hexed(digest: bytes) -> str:
    """A digest, in hex."""
    return digest.hex()


def light(result: LayerResult) -> str:
    """The class of a layer's light."""
    return {
        LayerResult.PASS: "pass",
        LayerResult.HOLD: "hold",
        LayerResult.REFUSE: "refuse",
        LayerResult.NOT_ASKED: "none",
    }[result]


def _utc(at: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at / 1e9, datetime.UTC)


FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "clock": clock,
    "moment": moment,
    "iso": iso,
    "span": span,
    "money": money,
    "digest": short,
    "hex": hexed,
    "light": light,
}
