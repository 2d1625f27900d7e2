"""Who is there: sign-in links, sessions, limits, lockout, and each of them on record.

A session's secret is in a `__Host-` cookie and its hash in the store; it is changed every quarter
of an hour, and one that comes back after its time ends the session. What its holder may do is read
from the ledger at every request, so that a revocation counts at once. A browser that is not
signed in has a cookie of its own, which binds the links and the sign-ins it asks for.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from console.view.state import Workspace
from console.web.errors import LinkInvalid, NotAllowed, ProviderFailed, TooMany
from console.web.permissions import Visitor
from console.web.store import LinkRefused, SessionRow, Store
from schemas.access import SessionClosed, SessionOpened, SignInLocked
from schemas.events import AnyBody

SESSION_COOKIE: Final = "__Host-session"
BROWSER_COOKIE: Final = "__Host-browser"
TURN_S: Final = 900
"""So long a session has one cookie; it is given another with the next page."""
WINDOW_S: Final = 900
ASKED_PER_ADDRESS: Final = 5
ASKED_PER_PEER: Final = 30
BEGUN_PER_PEER: Final = 300
"""Sign-ins at providers: a whole company may come from one address."""
FAILED_PER_PEER: Final = 20
FAILED_PER_ACCOUNT: Final = 5

Record = Callable[[AnyBody], Awaitable[None]]
Clock = Callable[[], float]


class Limits(Struct, frozen=True):
    """How long a session lives in all, and without a request (seconds)."""

    lives_s: int
    idle_s: int


class Sessions:
    """See the module's docstring. `record` puts an event on the ledger; `clock` gives seconds."""

    def __init__(
        self,
        store: Store,
        view: Workspace,
        record: Record,
        limits: Limits,
        clock: Clock = time.time,
    ) -> None:
        self.store = store
        self._view = view
        self._record = record
        self._limits = limits
        self._clock = clock

    def visitor(self, cookie: str) -> Visitor | None:
        """Who holds this session cookie, with the rights that the ledger gives them now."""
        row = self._row(cookie)
        if row is None:
            return None
        grant = self._view.grants.get(row.account)
        if grant is None or grant.revoked:
            return None
        return Visitor(
            account=row.account,
            address=self.store.address_of(row.account),
            role=grant.role,
            person=grant.person,
            session=row.name,
            csrf=csrf_of(cookie),
        )

    def link_for(self, address: str, browser: str, peer: str) -> str | None:
        """A sign-in link's secret for an address; None where it has no access, or too many came.

        Raises `TooMany` for a peer that asks for too many. An address's own limit is silent: it
        would tell a stranger which addresses are known.
        """
        now = int(self._clock())
        self._limit(f"ask {peer}", ASKED_PER_PEER, now)
        account = self.store.account_of(address)
        grant = self._view.grants.get(account or "")
        if account is None or grant is None or grant.revoked or self._locked(account, now):
            return None
        if self.store.attempt(f"ask {account}", now, WINDOW_S) > ASKED_PER_ADDRESS:
            return None
        return self.store.new_link(account, browser, now)

    async def spend(self, token: str, browser: str, peer: str) -> str:
        """Sign in by a link: the new session's cookie. Raises `LinkInvalid` or `TooMany`."""
        now = int(self._clock())
        if self.store.attempts(f"fail {peer}", now, WINDOW_S) >= FAILED_PER_PEER:
            raise TooMany("too many links that open nothing", fix="wait a quarter of an hour")
        try:
            account = self.store.spend_link(token, browser, now)
        except LinkRefused as refused:
            self.store.attempt(f"fail {peer}", now, WINDOW_S)
            if refused.account is not None:
                await self._failed(refused.account, now)
            raise
        return await self.open(account, "link")

    def begins(self, peer: str) -> None:
        """Count a sign-in that `peer` begins at a provider. Raises `TooMany`."""
        self._limit(f"begin {peer}", BEGUN_PER_PEER, int(self._clock()))

    @contextmanager
    def answers(self, peer: str) -> Iterator[None]:
        """Around the checking of a provider's answer: who brings many that are none is not heard.

        Raises `TooMany`, and what the checking raises.
        """
        now = int(self._clock())
        if self.store.attempts(f"fail {peer}", now, WINDOW_S) >= FAILED_PER_PEER:
            raise TooMany("too many answers that sign nobody in", fix="wait a quarter of an hour")
        try:
            yield
        except (LinkInvalid, ProviderFailed):
            self.store.attempt(f"fail {peer}", now, WINDOW_S)
            raise

    async def open(self, account: str, method: str) -> str:
        """A new session of somebody who proved to hold `account`; its cookie.

        Raises `NotAllowed` where the account has no access, `TooMany` where it is locked.
        """
        now = int(self._clock())
        grant = self._view.grants.get(account)
        if grant is None or grant.revoked:
            raise NotAllowed("this account has no access", fix="ask an admin for an invitation")
        if self._locked(account, now):
            raise TooMany("this account is locked for a while", fix="wait a quarter of an hour")
        token, name = self.store.open_session(account, method, now)
        await self._record(SessionOpened(account=account, session=name, method=method))
        return token

    def lasts(self, visitor: Visitor) -> bool:
        """Whether a visitor is still let in, whatever cookie their session has by now."""
        grant = self._view.grants.get(visitor.account)
        lives, idle, now = self._limits.lives_s, self._limits.idle_s, int(self._clock())
        return (
            grant is not None
            and not grant.revoked
            and self.store.session_lasts(visitor.session, now, lives_s=lives, idle_s=idle)
        )

    def turned(self, cookie: str) -> str | None:
        """Another cookie for this session, where it is time for one."""
        now, row = int(self._clock()), self._row(cookie)
        if row is None or not row.current or now < row.turned + TURN_S:
            return None
        return self.store.turn_session(cookie, now)

    async def watch(self, cookie: str) -> None:
        """End a session of which two hold a cookie: one was stolen, and nobody knows which."""
        row = self.store.holder(cookie) if cookie else None
        if row is not None and row.retired(int(self._clock())):
            self.store.close_session(row.name)
            reason = "a cookie came back that another had replaced"
            await self._record(SessionClosed(account=row.account, session=row.name, reason=reason))

    async def close(self, visitor: Visitor, reason: str) -> None:
        """End a session, at once, whether or not it can be recorded."""
        self.store.close_session(visitor.session)
        body = SessionClosed(account=visitor.account, session=visitor.session, reason=reason)
        await self._record(body)

    async def close_all(self, account: str, reason: str) -> None:
        """End all of an account's sessions."""
        for row in self.store.sessions_of(account):
            self.store.close_session(row.name)
            await self._record(SessionClosed(account=account, session=row.name, reason=reason))

    def _row(self, cookie: str) -> SessionRow | None:
        if not cookie:
            return None
        lives, idle = self._limits.lives_s, self._limits.idle_s
        return self.store.session(cookie, int(self._clock()), lives_s=lives, idle_s=idle)

    def _limit(self, key: str, most: int, now: int) -> None:
        if self.store.attempt(key, now, WINDOW_S) > most:
            raise TooMany("too many sign-ins were asked for", fix="wait a quarter of an hour")

    def _locked(self, account: str, now: int) -> bool:
        return self.store.attempts(f"fail {account}", now, WINDOW_S) >= FAILED_PER_ACCOUNT

    async def _failed(self, account: str, now: int) -> None:
        if self.store.attempt(f"fail {account}", now, WINDOW_S) == FAILED_PER_ACCOUNT:
            reason = f"{FAILED_PER_ACCOUNT} links were tried in other browsers than asked for them"
            await self._record(SignInLocked(account=account, reason=reason))


def new_browser() -> str:
    """A fresh secret for a browser that is not signed in."""
    return secrets.token_urlsafe(32)


def csrf_of(cookie: str) -> str:
    """The token that forms carry for whoever holds this cookie: no other origin can read it.

    A session's follows from the part that stays, so that an open form outlives a new cookie.
    """
    lasting = cookie.partition(".")[0]
    return hmac.new(lasting.encode(), b"anyteam csrf v1", hashlib.sha256).hexdigest()


def same_csrf(cookie: str, given: str) -> bool:
    """Whether `given` is that token."""
    return bool(cookie) and hmac.compare_digest(csrf_of(cookie).encode(), given.encode())
