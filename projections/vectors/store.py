"""The index in Qdrant: a collection a workspace, in a folder that one process opens at a time.

Qdrant has no transactions: points are set and dropped first, by names that make doing it again
harmless, and the position, a point of its own, last. Whoever writes or searches opens the folder,
and lets it go: the projector writes rarely, and a person searches now and then. What is dropped is
overwritten in the file, since a vector tells much of its text.
"""

import logging
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from qdrant_client import QdrantClient, models
from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from bus.decider import Entry, Recorded
from projections.errors import StoreFailed
from projections.vectors.embedding import DIMENSIONS, vectors_of
from projections.vectors.folds import Change, Dropped, Learned, changes_of

_LOG = logging.getLogger("anyteam.projections")
PATIENCE_S: Final = 10.0
"""How long to wait for another process to let the folder go."""
_POSITION: Final = str(uuid.UUID(int=0))
_NAMES: Final = uuid.UUID("5f0e5c50-7f0b-5d0a-9c57-2f6c2d2f7f11")

VectorFold = Callable[[Recorded], Iterable[Change]]


class Near(Struct, frozen=True):
    """A claim that a text is near to: `score` is the cosine, 1 for the same."""

    claim: str
    score: float


class VectorStore:
    """One workspace's claims by meaning. See `projections.store.Store`."""

    def __init__(
        self,
        folder: Path,
        workspace: str,
        *,
        fold: VectorFold = changes_of,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._folder = folder
        self._patience_s = patience_s
        self._collection = f"ws_{workspace}"
        self._fold = fold
        self._index: int | None = None
        with self._opened() as client:
            if not client.collection_exists(self._collection):
                client.create_collection(
                    self._collection,
                    models.VectorParams(size=DIMENSIONS, distance=models.Distance.COSINE),
                )

    def position(self) -> int:
        """The index of the last entry in the store. Raises `StoreFailed`."""
        with self._opened() as client:
            self._index = int(self._standing(client).get("index", 0))
        return self._index

    def set_aside(self) -> list[dict[str, Any]]:
        """The entries that could not be taken, each with its reason. Raises `StoreFailed`."""
        with self._opened() as client:
            return list(self._standing(client).get("set_aside", []))

    def apply(self, entries: Sequence[Entry]) -> None:
        """Take what comes after the position. Raises `StoreFailed`."""
        index = self._index if self._index is not None else self.position()
        fresh = [entry for entry in entries if entry.index > index]
        if not fresh:
            return
        changes, asides = self._changes(fresh)
        with self._opened() as client:
            standing = self._standing(client)
            for change in changes:
                if isinstance(change, Learned):
                    self._learn(client, change)
                else:
                    self._drop(client, change)
            standing["index"] = fresh[-1].index
            standing["at"] = time.time_ns()
            standing["set_aside"] = [*standing.get("set_aside", []), *asides]
            self._put(client, _POSITION, [0.0] * DIMENSIONS, standing)
        if any(isinstance(change, Dropped) for change in changes):
            self._overwrite()
        self._index = fresh[-1].index

    def search(self, text: str, *, rep: str = "", limit: int = 5) -> list[Near]:
        """The claims nearest to `text` by meaning, the nearest first; of one rep, or of all.

        Raises `StoreFailed`.
        """
        its = models.FieldCondition(key="rep", match=models.MatchValue(value=rep))
        beside = models.Filter(
            must=[its] if rep else [], must_not=[models.HasIdCondition(has_id=[_POSITION])]
        )
        [vector] = vectors_of([text])
        with self._opened() as client:
            found = client.query_points(
                self._collection, query=vector, query_filter=beside, limit=limit
            ).points
        return [Near(str((p.payload or {})["claim"]), round(p.score, 4)) for p in found]

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _changes(self, entries: Sequence[Entry]) -> tuple[list[Change], list[dict[str, Any]]]:
        changes: list[Change] = []
        asides: list[dict[str, Any]] = []
        for entry in entries:
            if not isinstance(entry, Recorded):
                continue
            try:
                changes += list(self._fold(entry))
            except Exception as error:  # noqa: BLE001 - a fold's fault must not stop the rest
                # Its name alone: an error's words may quote what it could not take.
                kind = type(error).__name__
                _LOG.error("entry %d cannot be indexed, set aside: %s", entry.index, kind)
                asides.append({"index": entry.index, "reason": kind})
        return changes, asides

    def _learn(self, client: QdrantClient, change: Learned) -> None:
        [vector] = vectors_of([change.text])
        self._put(client, point_of(change.claim), vector, change.payload)

    def _put(
        self, client: QdrantClient, point: str, vector: list[float], payload: dict[str, Any]
    ) -> None:
        held = models.PointStruct(id=point, vector=vector, payload=payload)
        client.upsert(self._collection, [held])

    def _drop(self, client: QdrantClient, change: Dropped) -> None:
        key, value = ("claim", change.claim) if change.claim else ("event", change.event)
        met = models.FieldCondition(key=key, match=models.MatchValue(value=value))
        client.delete(self._collection, models.FilterSelector(filter=models.Filter(must=[met])))

    def _standing(self, client: QdrantClient) -> dict[str, Any]:
        found = client.retrieve(self._collection, [_POSITION])
        return dict(found[0].payload or {}) if found else {}

    def _overwrite(self) -> None:
        for file in self._folder.rglob("*.sqlite"):
            with closing(sqlite3.connect(file)) as database:
                database.execute("VACUUM")

    @contextmanager
    def _opened(self) -> Iterator[QdrantClient]:
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(RuntimeError),
                wait=wait_fixed(0.05),
                stop=stop_after_delay(self._patience_s),
            ):
                with attempt:
                    self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    client = QdrantClient(path=str(self._folder))
        except RetryError as error:
            raise StoreFailed(
                f"{self._folder} is held by another process", fix="try again in a moment"
            ) from error
        try:
            yield client
        finally:
            client.close()


def point_of(claim: str) -> str:
    """A claim's point: a UUID that follows from its name, so that it is set once."""
    return str(uuid.uuid5(_NAMES, claim))
