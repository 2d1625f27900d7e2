"""The view as bytes and back, for a snapshot: what was one object is one object again.

Steps lie in their runs, and what else names one names it by run and proposal. Of a run that is put
by only the outline is in it. Pure.
"""

import zlib

import msgspec
from msgspec import Struct

from bus.errors import BadSnapshot
from console.view.shelf import RunShelf, pack, unpack
from console.view.state import Run, Workspace

_APART = ("runs", "asked", "standing", "shelf")


class _Kept(Struct, frozen=True, array_like=True):
    plain: Workspace
    runs: tuple[tuple[Run, bytes | None], ...]
    asked: tuple[tuple[str, bytes], ...]
    standing: tuple[tuple[bytes, str, bytes], ...]


def kept(workspace: Workspace) -> bytes:
    """The whole view but what is put by."""
    fields = {
        field: getattr(workspace, field)
        for field in Workspace.__struct_fields__
        if field not in _APART
    }
    return msgspec.msgpack.encode(
        _Kept(
            plain=Workspace(**fields),
            runs=tuple((_outline(run), _packed(run)) for run in workspace.runs.values()),
            asked=tuple((step.run, step.digest) for step in workspace.asked.values()),
            standing=tuple(
                (action, step.run, step.digest) for action, step in workspace.standing.items()
            ),
        )
    )


def brought_back(data: bytes, shelf: RunShelf) -> Workspace:
    """The view from `kept`; what it has put by lies in `shelf`. Raises `BadSnapshot`."""
    try:
        found = msgspec.msgpack.decode(data, type=_Kept)
        view = found.plain
        for run, details in found.runs:
            run.held = unpack(details) if details is not None else None
            view.runs[run.name] = run
        shelf.resume(view)
        for name, digest in found.asked:
            view.asked[digest] = view.runs[name].steps[digest]
        for action, name, digest in found.standing:
            view.standing[action] = view.runs[name].steps[digest]
    except (msgspec.DecodeError, KeyError, UnicodeDecodeError, zlib.error) as error:
        raise BadSnapshot(f"it is no view of this version: {error}") from error
    return view


def _outline(run: Run) -> Run:
    return msgspec.structs.replace(run, held=None, take=None)


def _packed(run: Run) -> bytes | None:
    return pack(run.held) if run.held is not None else None
