"""Details of runs that are over, put by where they take next to no memory, and taken out again.

Of a run that is over its outline stays (`Run`'s own fields), and the details of those looked at
last. One of which something may still change by another's hand (a question, an effect that stands
half done) is not put by. Rows are by run and by the ledger's index at which they were put by, so
that a snapshot of an earlier index still finds what it knew.

Pure: `Rows` is where the packed details lie, in memory or on disk.
"""

import zlib
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from console.view.state import Details, Moment, Run, Step, Workspace
from schemas.events import Event
from schemas.leases import Lease

AT_HAND: Final = 64
"""How many runs that are over lie open at once."""
_LEVEL: Final = 1


class Rows(Protocol):
    """Packed details, by run and index."""

    def put(self, run: str, at: int, packed: bytes, proposals: tuple[bytes, ...]) -> None:
        """Keep them, and beside them whose proposals are in it."""
        ...

    def get(self, run: str, at: int) -> bytes:
        """What was put by. Raises `BadSnapshot` where it is not there, or is something else."""
        ...

    def run_of(self, proposal: bytes) -> str | None:
        """The run put by that a proposal is in."""
        ...


class HeldRows:
    """Rows in memory, the last of each run."""

    def __init__(self) -> None:
        self._packed: dict[str, bytes] = {}
        self._runs: dict[bytes, str] = {}

    def put(self, run: str, at: int, packed: bytes, proposals: tuple[bytes, ...]) -> None:
        self._packed[run] = packed
        self._runs.update(dict.fromkeys(proposals, run))

    def get(self, run: str, at: int) -> bytes:
        return self._packed[run]

    def run_of(self, proposal: bytes) -> str | None:
        return self._runs.get(proposal)


class RunShelf:
    """Which runs of one workspace lie open, and which are put by in `rows`."""

    def __init__(self, rows: Rows | None = None, at_hand: int = AT_HAND) -> None:
        self._rows = rows if rows is not None else HeldRows()
        self._at_hand = at_hand
        self._open: OrderedDict[str, bool] = OrderedDict()
        self._taker: Callable[[Run], Details] | None = None

    def touch(self, workspace: Workspace, run: Run, *, changed: bool) -> None:
        """Run `run` was looked at, or has changed. Where it is over it is put by in its turn."""
        if run.live:
            return
        self._open[run.name] = self._open.get(run.name, False) or changed
        self._open.move_to_end(run.name)
        if len(self._open) <= self._at_hand:
            return
        busy = {step.run for step in (*workspace.asked.values(), *workspace.standing.values())}
        for name in list(self._open):
            if len(self._open) <= self._at_hand:
                return
            if name != run.name and name not in busy:
                self._put(workspace, workspace.runs[name], changed=self._open.pop(name))

    def find(self, proposal: bytes) -> str | None:
        """The run put by that this proposal is in."""
        return self._rows.run_of(proposal)

    def resume(self, workspace: Workspace) -> None:
        """Go on with a view that came back: what of it lies open, and what is put by."""
        workspace.shelf = self
        for run in workspace.runs.values():
            if run.held is None:
                run.take = self._of(workspace)
            elif not run.live:
                self._open[run.name] = True

    def _put(self, workspace: Workspace, run: Run, *, changed: bool) -> None:
        if run.held is not None and (changed or not run.put_by):
            run.put_by = workspace.size
            self._rows.put(run.name, run.put_by, pack(run.held), tuple(run.held.steps))
        run.held, run.take = None, self._of(workspace)

    def _of(self, workspace: Workspace) -> Callable[[Run], Details]:
        """`_take` of this workspace, the same for all of its runs."""
        if self._taker is None:
            self._taker = partial(self._take, workspace)
        return self._taker

    def _take(self, workspace: Workspace, run: Run) -> Details:
        run.held = unpack(self._rows.get(run.name, run.put_by))
        self.touch(workspace, run, changed=False)
        return run.held


class _Packed(Struct, frozen=True, array_like=True):
    lease: Lease | None
    steps: tuple[Step, ...]
    actions: tuple[tuple[bytes, bytes], ...]
    moments: tuple[Moment, ...]
    observations: tuple[Event, ...]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(_Packed)


def pack(details: Details) -> bytes:
    """Details as bytes. A step that two maps name is one step again when they come back."""
    packed = _Packed(
        lease=details.lease,
        steps=tuple(details.steps.values()),
        actions=tuple((action, step.digest) for action, step in details.actions.items()),
        moments=tuple(details.moments),
        observations=tuple(details.observations),
    )
    return zlib.compress(_ENCODER.encode(packed), _LEVEL)


def unpack(data: bytes) -> Details:
    """The inverse of `pack`, of bytes that were packed by this version."""
    packed = _DECODER.decode(zlib.decompress(data))
    steps = {step.digest: step for step in packed.steps}
    return Details(
        lease=packed.lease,
        steps=steps,
        actions={action: steps[digest] for action, digest in packed.actions},
        moments=list(packed.moments),
        observations=list(packed.observations),
    )
