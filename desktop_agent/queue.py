"""The offline queue: what was heard and has not arrived yet, sealed at rest, in order.

An item is first held, and can be withdrawn until its time is over; then it is signed, and its
bytes never change again; it leaves the queue once the bus has acknowledged it as durable. Each
step is one transaction on disk: whenever the process dies, an item is in exactly one state.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from bus.commands import Publish
from crypto.keyfile import ensure_key
from crypto.known import Head
from desktop_agent.enrolled import Enrolled
from desktop_agent.errors import CapturesSpent, QueueDamaged
from desktop_agent.signing import Noted, Said, encode_noted, signed
from schemas.captures import MAX_CAPTURES, CaptureStarted, CaptureStopped, TranscriptSynced
from schemas.errors import UNREADABLE

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS held (id INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER, sealed BLOB);
CREATE TABLE IF NOT EXISTS outgoing (n INTEGER PRIMARY KEY, sealed BLOB);
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), sealed BLOB);
"""
_Kind = TypeVar("_Kind", bound=Struct)


class State(Struct, frozen=True, kw_only=True):
    """`capture` counts captures, `segment` those of the one that is `open`, `withdrawn` those of it
    that were taken back; `head` is the chain's end as signed, `stands` the ledger index at which
    the last event that arrived stands.
    """

    capture: int = 0
    open: bool = False
    segment: int = 0
    withdrawn: dict[int, int] = {}
    head: Head | None = None
    stands: int = 0


class Waiting(Struct, frozen=True):
    """A held item: its number to withdraw it by, when it goes (ns), and what it says."""

    number: int
    due: int
    noted: Noted


class Queue:
    """One device's queue. Use `opened`."""

    def __init__(self, database: sqlite3.Connection, key: bytes) -> None:
        self._database = database
        self._aead = AESGCM(key)

    def begin(self, source: str, consent: str, now: int) -> int:
        """A new capture's number. One that was cut off is stopped first.

        Raises `CapturesSpent` where the device has no key for another.
        """
        with self._transaction():
            state = self._state()
            if state.open:
                self._note(CaptureStopped(capture=state.capture), now, now)
            number = state.capture + 1
            if number > MAX_CAPTURES:
                raise CapturesSpent(
                    f"this device has had its {MAX_CAPTURES} captures",
                    fix="enrol it again, under another name, with another --home",
                )
            self._keep(msgspec.structs.replace(state, capture=number, open=True, segment=0))
            self._note(CaptureStarted(capture=number, source=source, consent=consent), now, now)
        return number

    def note(self, said: Said, now: int, hold_ns: int = 0) -> int:
        """Put an item at the end, to be held for `hold_ns`; the number to withdraw it by."""
        with self._transaction():
            if isinstance(said, TranscriptSynced):
                self._keep(msgspec.structs.replace(self._state(), segment=said.segment))
            elif isinstance(said, CaptureStopped):
                self._keep(msgspec.structs.replace(self._state(), open=False))
            return self._note(said, now, now + hold_ns)

    def withdraw(self, number: int) -> bool:
        """Take back a held segment; whether it was still here. It is as if never heard."""
        with self._transaction():
            waiting = next((one for one in self._held() if one.number == number), None)
            body = waiting.noted.body if waiting is not None else None
            if not isinstance(body, TranscriptSynced):
                return False
            self._database.execute("DELETE FROM held WHERE id = ?", (number,))
            state = self._state()
            counts = state.withdrawn | {body.capture: state.withdrawn.get(body.capture, 0) + 1}
            self._keep(msgspec.structs.replace(state, withdrawn=counts))
        return True

    def held(self) -> list[Waiting]:
        """What can still be withdrawn, in order."""
        return list(self._held())

    def release(self, enrolled: Enrolled, now: int) -> int:
        """Sign what is due at `now`; how many. Nothing overtakes what came before it."""
        count = 0
        with self._transaction():
            for waiting in self._held():
                if waiting.due > now:
                    break
                self._sign(enrolled, waiting)
                count += 1
        return count

    def next(self) -> tuple[int, Publish] | None:
        """The first signed message that has not arrived, with its number. Its fence is where the
        device's last event stands.
        """
        of = "SELECT n, outgoing.sealed, state.sealed FROM outgoing, state ORDER BY n LIMIT 1"
        row = self._database.execute(of).fetchone()
        if row is None:
            return None
        message = self._read(row[1], b"outgoing", Publish)
        state = self._read(row[2], b"state", State)
        return row[0], msgspec.structs.replace(message, fence=(message.subject, state.stands))

    def arrived(self, number: int, index: int) -> None:
        """Message `number` is durable at ledger index `index`."""
        with self._transaction():
            gone = self._database.execute("DELETE FROM outgoing WHERE n = ?", (number,)).rowcount
            # Another process of this device may have noted it, and gone on, in the meantime.
            if gone:
                self._keep(msgspec.structs.replace(self._state(), stands=index))

    def stands(self, index: int) -> None:
        """The device's last event stands at `index` of the stream that takes it now."""
        with self._transaction():
            self._keep(msgspec.structs.replace(self._state(), stands=index))

    @property
    def state(self) -> State:
        """Where the device is."""
        return self._state()

    def counts(self) -> tuple[int, int]:
        """(held, signed and not arrived)."""
        of = "SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM outgoing)"
        held, outgoing = self._database.execute(of).fetchone()
        return held, outgoing

    def _sign(self, enrolled: Enrolled, waiting: Waiting) -> None:
        state, noted = self._state(), waiting.noted
        if isinstance(noted.body, CaptureStopped):
            counted = state.withdrawn.get(noted.body.capture, 0)
            noted = Noted(noted.at, msgspec.structs.replace(noted.body, withdrawn=counted))
        message, head = signed(enrolled, state.head, noted)
        sealed = self._sealed(msgspec.msgpack.encode(message), b"outgoing")
        self._database.execute("INSERT INTO outgoing VALUES (?, ?)", (head.n, sealed))
        self._database.execute("DELETE FROM held WHERE id = ?", (waiting.number,))
        self._keep(msgspec.structs.replace(state, head=head))

    def _note(self, said: Said, at: int, due: int) -> int:
        sealed = self._sealed(encode_noted(Noted(at, said)), b"held")
        row = "INSERT INTO held (due, sealed) VALUES (?, ?) RETURNING id"
        (number,) = self._database.execute(row, (due, sealed)).fetchone()
        return int(number)

    def _held(self) -> Iterator[Waiting]:
        rows = self._database.execute("SELECT id, due, sealed FROM held ORDER BY id").fetchall()
        for number, due, sealed in rows:
            yield Waiting(number, due, self._read(sealed, b"held", Noted))

    def _state(self) -> State:
        row = self._database.execute("SELECT sealed FROM state").fetchone()
        if row is None:
            return State()
        return self._read(row[0], b"state", State)

    def _keep(self, state: State) -> None:
        sealed = self._sealed(msgspec.msgpack.encode(state), b"state")
        self._database.execute("INSERT OR REPLACE INTO state VALUES (1, ?)", (sealed,))

    def _sealed(self, data: bytes, place: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._aead.encrypt(nonce, data, b"anyteam queue v1 " + place)

    def _read(self, sealed: bytes, place: bytes, kind: type[_Kind]) -> _Kind:
        try:
            return msgspec.msgpack.decode(self._unsealed(sealed, place), type=kind)
        except UNREADABLE as error:
            raise QueueDamaged(
                f"an item of the queue is no {kind.__name__} of this version: {error}",
                fix="send what it holds with the version that wrote it, then upgrade",
            ) from error

    def _unsealed(self, sealed: bytes, place: bytes) -> bytes:
        try:
            return self._aead.decrypt(sealed[:12], sealed[12:], b"anyteam queue v1 " + place)
        except InvalidTag as error:
            raise QueueDamaged(
                "an item of the queue does not open with this machine's key",
                fix="queue.sqlite and queue.key belong together; keep both and ask for help",
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        # At once for writing, so that two processes of one device sign one after the other.
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


@contextmanager
def opened(folder: Path) -> Iterator[Queue]:
    """The queue in the agent's folder, made where there is none. Raises `QueueDamaged`."""
    key = ensure_key(folder / "queue.key")
    path = folder / "queue.sqlite"
    path.touch(mode=0o600)
    try:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as database:
            _prepare(database)
            yield Queue(database, key)
    except sqlite3.DatabaseError as error:
        raise QueueDamaged(
            f"{path} cannot be used: {error}", fix="move it away; what it held is lost to us"
        ) from error


def _prepare(database: sqlite3.Connection) -> None:
    try:
        # Acknowledged means on disk, and what was deleted is gone from the file.
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA secure_delete = ON")
        database.executescript(_SCHEMA)
    except UnicodeDecodeError as error:
        # SQLite's message quotes the damaged file, and the binding takes it for text.
        raise sqlite3.DatabaseError("its schema is damaged") from error
