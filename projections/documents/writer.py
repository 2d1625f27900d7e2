"""The document store: one MongoDB database a workspace, entered by a login of that database alone.

Documents and position go in one transaction. A blob is durable before the document that names it,
and gone before the one that no longer does: a crash between leaves work that is done again, never
a name without its blob or erased content that stays.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import bson.errors
import pymongo
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure, PyMongoError, WriteError

from bus.decider import Entry, Recorded
from projections.documents.blobs import Blobs
from projections.documents.folds import COLLECTIONS, Change, Gone, Put, changes_of
from projections.documents.login import DocumentLogin
from projections.errors import PositionMoved, StoreFailed

_LOG = logging.getLogger("anyteam.projections")
_POSITION: Final = "position"
_POISON: Final = (bson.errors.InvalidDocument, WriteError, OverflowError)

DocumentFold = Callable[[Recorded], Iterable[Change]]


class DocumentStore:
    """One workspace's documents. See `projections.store.Store`."""

    def __init__(
        self, login: DocumentLogin, blobs: Blobs, *, fold: DocumentFold = changes_of
    ) -> None:
        self._blobs = blobs
        self._fold = fold
        self._index: int | None = None
        self._client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
            login.host,
            login.port,
            username=login.user,
            password=login.password,
            authSource="admin",
            authMechanism="SCRAM-SHA-256",
            directConnection=True,
            serverSelectionTimeoutMS=15_000,
        )
        self._database = self._client[login.database]
        try:
            for name in COLLECTIONS:
                self._database[name].create_index("event")
        except PyMongoError as error:
            self._client.close()
            raise _failed(error) from error

    def position(self) -> int:
        """The index of the last entry in the store. Raises `StoreFailed`."""
        try:
            self._index = self._stored(None)
        except PyMongoError as error:
            raise _failed(error) from error
        return self._index

    def apply(self, entries: Sequence[Entry]) -> None:
        """Take what comes after the position. Raises `StoreFailed`, `PositionMoved`."""
        index = self._index if self._index is not None else self.position()
        fresh = [entry for entry in entries if entry.index > index]
        if not fresh:
            return
        try:
            self._halve(fresh)
        except PyMongoError as error:
            raise _failed(error) from error

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def _halve(self, entries: Sequence[Entry]) -> None:
        try:
            self._write(entries)
        except _POISON as error:
            if len(entries) > 1:
                middle = len(entries) // 2
                self._halve(entries[:middle])
                self._halve(entries[middle:])
                return
            _LOG.error("entry %d is refused by the store, set aside: %s", entries[0].index, error)
            self._write(entries, aside=f"{type(error).__name__}: {error}")

    def _write(self, entries: Sequence[Entry], aside: str = "") -> None:
        changes: list[Change] = []
        asides = [(entries[0].index, aside)] if aside else []
        for entry in entries if not aside else ():
            if isinstance(entry, Recorded):
                try:
                    changes += list(self._fold(entry))
                except Exception as error:  # noqa: BLE001 - a fold's fault must not stop the rest
                    _LOG.error("entry %d cannot be projected, set aside: %r", entry.index, error)
                    asides.append((entry.index, repr(error)))
        with self._client.start_session() as session, session.start_transaction():
            if self._stored(session) != self._index:
                raise PositionMoved("another projector writes these documents")
            for change in changes:
                if isinstance(change, Put):
                    self._put(change, session)
                else:
                    self._erase(change, session)
            for index, reason in asides:
                self._set("set_aside", index, {"reason": reason[:1000]}, session)
            last = entries[-1].index
            self._set(_POSITION, _POSITION, {"index": last, "at": time.time_ns()}, session)
        self._index = last

    def _put(self, change: Put, session: ClientSession) -> None:
        values = dict(change.values)
        if change.blob is not None:
            values["blob"] = self._blobs.put(change.blob.data)
            values["key"] = change.blob.key
        self._set(change.collection, change.id, values, session)

    def _erase(self, change: Gone, session: ClientSession) -> None:
        for name in COLLECTIONS:
            for found in self._database[name].find({"event": change.event}, session=session):
                if "blob" in found:
                    self._blobs.remove(found["blob"])
                self._database[name].update_one(
                    {"_id": found["_id"]},
                    {"$unset": {"blob": "", "key": ""}, "$set": {"erased": change.index}},
                    session=session,
                )

    def _set(self, name: str, key: object, values: dict[str, Any], session: ClientSession) -> None:
        self._database[name].update_one(
            {"_id": key}, {"$set": values}, upsert=True, session=session
        )

    def _stored(self, session: ClientSession | None) -> int:
        found = self._database[_POSITION].find_one({"_id": _POSITION}, session=session)
        return int(found["index"]) if found is not None else 0


def _failed(error: PyMongoError) -> StoreFailed:
    # A refusal quotes the command; its code says enough, and the command may hold what it writes.
    words = f"code {error.code}" if isinstance(error, OperationFailure) else str(error)[:200]
    return StoreFailed(f"MongoDB: {words}", fix="see its log; it is tried again")
