"""The console's own store: addresses of accounts, sign-in links, sessions, attempts. SQLite.

Of every secret (link, session) only the SHA-256 is kept: each has 256 bits, so nothing is gained
by guessing from a stolen file. Times are seconds since the epoch, given by the caller. The file is
its owner's alone, and holds the only copy of which mail address an account has.
"""

import hashlib
import os
import secrets
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from console.web.errors import BadForm, LinkInvalid

LINK_S: Final = 600
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY, address TEXT NOT NULL UNIQUE, subject TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS link (
    token BLOB PRIMARY KEY, browser BLOB NOT NULL, account TEXT NOT NULL, ends INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS session (
    token BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, account TEXT NOT NULL,
    began INTEGER NOT NULL, seen INTEGER NOT NULL, method TEXT NOT NULL,
    before BLOB, turned INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS attempt (key TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS told (
    proposal BLOB NOT NULL, account TEXT NOT NULL, PRIMARY KEY (proposal, account));
CREATE INDEX IF NOT EXISTS attempt_key ON attempt (key, at);
"""


# What earlier versions' tables lack.
_LATER: Final = (
    "before BLOB",
    "turned INTEGER NOT NULL DEFAULT 0",
    "used INTEGER NOT NULL DEFAULT 0",
)
_ROW: Final = "name, account, began, seen, method, turned, used"
GRACE_S: Final = 60
"""A secret serves so long after the first use of the next: pages load in parallel."""


class SessionRow(Struct, frozen=True):
    """A session as it is kept. Its secret was changed at `turned` and first seen again at `used`,
    0 for not yet; `current` says whether it was found by that secret or by the one before.
    """

    name: str
    account: str
    began: int
    seen: int
    method: str
    turned: int
    used: int
    current: bool = True

    def retired(self, now: int) -> bool:
        """Whether it was found by a secret that has had its time."""
        return not self.current and 0 < self.used <= now - GRACE_S


class Store:
    """One open store. Every change is durable when its method returns."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA secure_delete = ON")
        self._db.executescript(_SCHEMA)
        there = {row[1] for row in self._db.execute("PRAGMA table_info(session)")}
        for column in _LATER:
            if column.partition(" ")[0] not in there:
                self._db.execute(f"ALTER TABLE session ADD COLUMN {column}")

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def account_for(self, address: str) -> str:
        """The account of an address, made where there is none. Raises `BadForm`."""
        address = plain_address(address)
        self._db.execute(
            "INSERT OR IGNORE INTO account (name, address) VALUES (?, ?)",
            (f"u-{secrets.token_hex(8)}", address),
        )
        found = self.account_of(address)
        assert found is not None
        return found

    def account_of(self, address: str) -> str | None:
        """The account of an address, None where nobody has it."""
        row = self._db.execute(
            "SELECT name FROM account WHERE address = ?", (address.strip().casefold(),)
        ).fetchone()
        return row[0] if row else None

    def address_of(self, account: str) -> str:
        """An account's address, empty where it was forgotten."""
        row = self._db.execute("SELECT address FROM account WHERE name = ?", (account,)).fetchone()
        return row[0] if row else ""

    def addresses(self) -> dict[str, str]:
        """Every account's address."""
        return dict(self._db.execute("SELECT name, address FROM account ORDER BY address"))

    def bind_subject(self, account: str, subject: str) -> bool:
        """Hold an account to one identity at its provider; False where it has another."""
        self._db.execute(
            "UPDATE OR IGNORE account SET subject = ? WHERE name = ? AND subject IS NULL",
            (subject, account),
        )
        row = self._db.execute("SELECT subject FROM account WHERE name = ?", (account,)).fetchone()
        return bool(row) and row[0] == subject

    def unbind(self, account: str) -> None:
        """Let the account's next sign-in at a provider decide which identity it is."""
        self._db.execute("UPDATE account SET subject = NULL WHERE name = ?", (account,))

    def forget(self, account: str) -> None:
        """Erase an account's address, its links and its sessions."""
        for table, column in (("account", "name"), ("link", "account"), ("session", "account")):
            self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (account,))  # noqa: S608

    def new_link(self, account: str, browser: str, now: int) -> str:
        """A sign-in link's secret, good for ten minutes, once, in that browser.

        Earlier ones stay good: else whoever asks for one in your name would end yours.
        """
        token = secrets.token_urlsafe(32)
        self._db.execute("DELETE FROM link WHERE ends <= ?", (now,))
        self._db.execute(
            "INSERT INTO link VALUES (?, ?, ?, ?)",
            (_digest(token), _digest(browser), account, now + LINK_S),
        )
        return token

    def spend_link(self, token: str, browser: str, now: int) -> str:
        """The account that the link opens; it opens nothing again. Raises `LinkInvalid`.

        A link tried in another browser is not spent: whoever asked for it may still use it.
        `LinkInvalid.account` then names it, for the count of failures.
        """
        row = self._db.execute(
            "DELETE FROM link WHERE token = ? AND browser = ? AND ends > ? RETURNING account",
            (_digest(token), _digest(browser), now),
        ).fetchone()
        if row:
            return str(row[0])
        known = self._db.execute(
            "SELECT account FROM link WHERE token = ? AND ends > ?", (_digest(token), now)
        ).fetchone()
        raise LinkRefused(
            "the link was used, is older than ten minutes, or was asked for in another browser",
            fix="ask for a new one in this browser, and open it here",
            account=known[0] if known else None,
        )

    def open_session(self, account: str, method: str, now: int) -> tuple[str, str]:
        """A new session: its secret, and its name for the record.

        The part before the dot stays for the session's life: forms are bound to it.
        """
        token = f"{secrets.token_urlsafe(32)}.{secrets.token_urlsafe(32)}"
        name = f"s-{secrets.token_hex(8)}"
        self._db.execute(
            "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?)",
            (_digest(token), name, account, now, now, method, now, now),
        )
        return token, name

    def turn_session(self, token: str, now: int) -> str | None:
        """Another secret for the session of this one; None where it is not the current one.

        The old one serves until the new one was seen, and `GRACE_S` longer: an answer may be lost.
        """
        fresh = f"{token.partition('.')[0]}.{secrets.token_urlsafe(32)}"
        done = self._db.execute(
            "UPDATE session SET token = ?, before = ?, turned = ?, used = 0 WHERE token = ?",
            (_digest(fresh), _digest(token), now, _digest(token)),
        )
        return fresh if done.rowcount else None

    def session(self, token: str, now: int, *, lives_s: int, idle_s: int) -> SessionRow | None:
        """The session of a secret, seen just now; None where there is none or it is over."""
        found = self.holder(token)
        if found is None or found.retired(now):
            return None
        if found.current and not found.used:
            self._db.execute("UPDATE session SET used = ? WHERE name = ?", (now, found.name))
        return found if self._lasts(found, now, lives_s, idle_s) else None

    def session_lasts(self, name: str, now: int, *, lives_s: int, idle_s: int) -> bool:
        """Whether the session of that name goes on; it was seen just now."""
        row = self._db.execute(
            f"SELECT {_ROW} FROM session WHERE name = ?",  # noqa: S608
            (name,),
        ).fetchone()
        return row is not None and self._lasts(SessionRow(*row), now, lives_s, idle_s)

    def _lasts(self, found: SessionRow, now: int, lives_s: int, idle_s: int) -> bool:
        if now >= found.began + lives_s or now >= found.seen + idle_s:
            self.close_session(found.name)
            return False
        if now > found.seen + 15:
            self._db.execute("UPDATE session SET seen = ? WHERE name = ?", (now, found.name))
        return True

    def holder(self, token: str) -> SessionRow | None:
        """The session whose secret this is, or was before the last change."""
        digest = _digest(token)
        row = self._db.execute(
            f"SELECT {_ROW}, token = ? FROM session WHERE token = ? OR before = ?",  # noqa: S608
            (digest, digest, digest),
        ).fetchone()
        return replace(SessionRow(*row[:-1]), current=bool(row[-1])) if row is not None else None

    def sessions_of(self, account: str) -> list[SessionRow]:
        """An account's sessions."""
        rows = self._db.execute(
            f"SELECT {_ROW} FROM session WHERE account = ?",  # noqa: S608
            (account,),
        )
        return [SessionRow(*row) for row in rows]

    def close_session(self, name: str) -> None:
        """End a session, at once."""
        self._db.execute("DELETE FROM session WHERE name = ?", (name,))

    def told(self) -> frozenset[tuple[bytes, str]]:
        """The proposals about which accounts were told by mail."""
        rows = self._db.execute("SELECT proposal, account FROM told")
        return frozenset((proposal, account) for proposal, account in rows)

    def tell(self, proposal: bytes, account: str) -> None:
        """This account was told of this proposal."""
        self._db.execute("INSERT OR IGNORE INTO told VALUES (?, ?)", (proposal, account))

    def untell(self, waiting: Collection[bytes]) -> None:
        """Forget of whom was told what about all proposals but those that wait."""
        kept = set(waiting)
        gone = [(one,) for (one,) in self._db.execute("SELECT DISTINCT proposal FROM told")]
        self._db.executemany(
            "DELETE FROM told WHERE proposal = ?", [one for one in gone if one[0] not in kept]
        )

    def attempt(self, key: str, now: int, window_s: int) -> int:
        """Count an attempt; how many there were in the window, this one included."""
        self._db.execute("DELETE FROM attempt WHERE at <= ?", (now - 86_400,))
        self._db.execute("INSERT INTO attempt VALUES (?, ?)", (key, now))
        return self.attempts(key, now, window_s)

    def attempts(self, key: str, now: int, window_s: int) -> int:
        """How many attempts there were in the window."""
        row = self._db.execute(
            "SELECT count(*) FROM attempt WHERE key = ? AND at > ?", (key, now - window_s)
        ).fetchone()
        return int(row[0])

    def clear_attempts(self, key: str) -> None:
        """Forget the attempts under a key."""
        self._db.execute("DELETE FROM attempt WHERE key = ?", (key,))


class LinkRefused(LinkInvalid):
    """A link that opens nothing; `account` is whose it is where only the browser was wrong."""

    def __init__(self, what: str, *, fix: str, account: str | None) -> None:
        super().__init__(what, fix=fix)
        self.account = account


def plain_address(text: str) -> str:
    """A mail address in the form that accounts have. Raises `BadForm`."""
    address = text.strip().casefold()
    local, at, domain = address.rpartition("@")
    odd = any(c.isspace() or ord(c) < 33 or c in '<>(),;:\\"[]' for c in address)
    if not (local and at and domain) or odd or len(address) > 254:
        raise BadForm(f"{text!r} is no mail address", fix="write it as name@example.com")
    return address


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
