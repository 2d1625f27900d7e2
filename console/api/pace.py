"""How often somebody may ask: a bucket each, refilled steadily.

The generic cell rate algorithm (ITU-T I.371): one number each, the time at which the bucket is full
again. Pure; time comes in as data.
"""

from typing import Final

KEPT: Final = 10_000


class Pace:
    """At most `per_min` requests at once, and as many in each minute after."""

    def __init__(self, per_min: int) -> None:
        self._all = 60.0
        self._one = 60.0 / per_min
        self._full: dict[str, float] = {}

    def wait(self, who: str, now: float) -> float:
        """0 where `who` may ask at `now` (s), which counts; else the seconds until they may."""
        full = max(self._full.get(who, now), now)
        over = full + self._one - (now + self._all)
        # Sums of fractions are not exact; a request early by a microsecond is not.
        if over > 1e-6:
            return over
        if len(self._full) >= KEPT:
            self._full = {name: at for name, at in self._full.items() if at > now}
        self._full[who] = full + self._one
        return 0.0
