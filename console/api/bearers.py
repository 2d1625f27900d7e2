"""Who calls: from a bearer token to a visitor with what the token's scopes leave of the role.

What a token is good for is read from the ledger at every request, so that a revocation counts at
once. Its first use since the console came up is put on record as a session. Source: RFC 6750.
"""

import asyncio
import math
import secrets
import time
from collections.abc import Callable
from typing import Final

from console.api.errors import Slower, TokenInvalid
from console.api.pace import Pace
from console.tokens import PREFIX, digest_of, standing
from console.view.state import Token, Workspace
from console.web.permissions import SCOPES, Visitor
from console.web.sessions import Record
from schemas.access import SessionOpened, TokenIssued

WRONG: Final = 10
"""A peer may try that part of the limit without a good token. Who has one is not held up by what
others try from the same address."""


class Bearers:
    """See the module's docstring. `clock` gives ns since the epoch."""

    def __init__(
        self,
        view: Workspace,
        record: Record,
        per_min: int,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._view = view
        self._record = record
        self._clock = clock
        self._pace = Pace(per_min)
        self._wrong = Pace(max(1, per_min // WRONG))
        self._sessions: dict[str, str] = {}
        self._turn = asyncio.Lock()

    def token(self, header: str, peer: str) -> Token:
        """The token of an `Authorization` header. Raises `TokenInvalid` or `Slower`."""
        now = self._clock()
        kind, _, secret = header.partition(" ")
        good = kind.casefold() == "bearer" and secret.startswith(PREFIX)
        found = self._view.tokens.get(digest_of(secret)) if good else None
        if found is None:
            self._slow(self._wrong, peer, now)
            raise TokenInvalid(
                "Authorization: there is no such token" if header else "Authorization is missing",
                fix="send `Authorization: Bearer anyteam_...`; anyteam tokens create makes one",
            )
        state = standing(found, now)
        if state:
            raise TokenInvalid(f"the token {found.body.token} is {state}", fix="get a new one")
        self._slow(self._pace, found.body.token, now)
        return found

    async def visitor(self, token: Token) -> Visitor:
        """Who that is. Raises `TokenInvalid` where the account has no access."""
        body = token.body
        grant = self._view.grants.get(body.account)
        if grant is None or grant.revoked:
            raise TokenInvalid("the token's account has no access", fix="ask an admin")
        session = self._sessions.get(body.token) or await self._first(body)
        return Visitor(
            account=body.account,
            address="",
            role=grant.role,
            person=grant.person,
            session=session,
            csrf="",
            token=body.token,
            only=frozenset().union(*(SCOPES[scope] for scope in body.scopes)),
        )

    async def _first(self, body: TokenIssued) -> str:
        """Put the first use on record; who was here before does not wait for that."""
        async with self._turn:
            known = self._sessions.get(body.token)
            if known is not None:
                return known
            session = f"s-{secrets.token_hex(8)}"
            method = f"token/{body.token}"
            await self._record(SessionOpened(account=body.account, session=session, method=method))
            self._sessions[body.token] = session
            return session

    def _slow(self, pace: Pace, who: str, now: int) -> None:
        wait = pace.wait(who, now / 1e9)
        if wait:
            seconds = math.ceil(wait)
            raise Slower(
                "that is more than the limit of requests a minute",
                fix=f"wait {seconds} s",
                wait_s=seconds,
            )
