"""The HTTP API from Python, typed: what the console's pages show and do, by a scoped token.

Lists are asynchronous iterators that turn the pages by themselves. A write has an idempotency
key of its own, which its repetitions keep, so that a lost answer does nothing twice.
"""

import ssl
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx
import msgspec
from msgspec import Struct
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_base

from anyteam.errors import Refused, Unreachable
from console.api import asks, shapes
from console.api.hooks import WebhookShape
from console.api.shapes import PREFIX, Problem
from schemas.actions import Decision
from schemas.leases import Unanswered
from schemas.runs import HaltScope
from schemas.tools import Effect

T = TypeVar("T")
TRIES: Final = 4
MOST_WAIT_S: Final = 60.0


class _Again(Exception):
    """Worth another try, after `wait_s` seconds."""

    def __init__(self, wait_s: float, last: Unreachable | Refused) -> None:
        super().__init__(str(last))
        self.wait_s = wait_s
        self.last = last


class _AsTold(wait_base):
    """As long as the API said, or a little longer each time."""

    def __call__(self, retry_state: RetryCallState) -> float:
        outcome = retry_state.outcome
        error = outcome.exception() if outcome is not None else None
        return error.wait_s if isinstance(error, _Again) else 0.0


class Client:
    """A console of one workspace. Every method raises `Unreachable` or `Refused`."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def me(self) -> shapes.Me:
        """Whose token this is, and what it may do."""
        return await self._get("/me", shapes.Me)

    async def overview(self) -> shapes.Overview:
        """What goes on, in figures."""
        return await self._get("/overview", shapes.Overview)

    def runs(self, *, state: str = "", words: str = "") -> AsyncIterator[shapes.RunSummary]:
        """Runs, the latest first."""
        given = {"state": state, "q": words}
        return self._each("/runs", shapes.RunSummary, {k: v for k, v in given.items() if v})

    async def run(self, name: str) -> shapes.RunShape:
        """One run, with its proposals."""
        return await self._get(f"/runs/{name}", shapes.RunShape)

    def timeline(self, run: str) -> AsyncIterator[shapes.MomentShape]:
        """A run's entries in order, in words."""
        return self._each(f"/runs/{run}/timeline", shapes.MomentShape)

    async def request(
        self,
        agent: str,
        summary: str,
        *,
        tools: Iterable[str],
        effects: Iterable[Effect] = (),
        destinations: Iterable[str] = (),
        objects: Iterable[str] = (),
        together: bool = False,
        unanswered: Unanswered = Unanswered.GO_ON,
        ttl_s: int = 900,
    ) -> str:
        """Ask for a run as the rep that the token's account is; its name."""
        wish = asks.RunWish(
            agent=agent,
            summary=summary,
            tools=list(tools),
            effects=list(effects),
            destinations=list(destinations),
            objects=list(objects),
            together=together,
            unanswered=unanswered,
            ttl_s=ttl_s,
        )
        return (await self._post("/runs", wish, shapes.RunAsked)).run

    def approvals(self) -> AsyncIterator[shapes.ApprovalShape]:
        """What waits for a person."""
        return self._each("/approvals", shapes.ApprovalShape)

    async def approval(self, proposal: str) -> shapes.ApprovalShape:
        """One question, by its proposal's digest."""
        return await self._get(f"/approvals/{proposal}", shapes.ApprovalShape)

    async def approve(self, proposal: str, note: str = "") -> int:
        """Let exactly this proposal through; the answer's ledger index."""
        return await self._decide(proposal, Decision.APPROVE, note)

    async def deny(self, proposal: str, note: str = "") -> int:
        """Refuse exactly this proposal; the answer's ledger index."""
        return await self._decide(proposal, Decision.DENY, note)

    async def change(self, proposal: str, text: str, note: str = "") -> int:
        """Refuse this proposal and have the agent told what should be different; the index."""
        return await self._decide(proposal, Decision.CHANGE, note, text)

    def standing(self) -> AsyncIterator[shapes.StandingShape]:
        """Actions left half done by runs that were to do all or nothing, the latest first."""
        return self._each("/standing", shapes.StandingShape)

    def halts(self, *, in_force: bool = False) -> AsyncIterator[shapes.HaltShape]:
        """Halts, the latest first, each with what it stopped."""
        which = {"which": "in_force"} if in_force else {}
        return self._each("/halts", shapes.HaltShape, which)

    async def halt(self, scope: HaltScope, target: str = "", reason: str = "") -> int:
        """Stop before the next effect; the halt's ledger index."""
        wish = asks.HaltWish(scope=scope, target=target, reason=reason)
        return (await self._post("/halts", wish, shapes.Recorded)).index

    async def release(self, halt: int, reason: str = "") -> int:
        """Lift the halt of that ledger index; the release's index."""
        wish = asks.ReleaseWish(reason=reason)
        return (await self._post(f"/halts/{halt}/release", wish, shapes.Recorded)).index

    def destinations(self) -> AsyncIterator[shapes.DestinationShape]:
        """Watched domains."""
        return self._each("/destinations", shapes.DestinationShape)

    def memory(self) -> AsyncIterator[shapes.ClaimShape]:
        """What agents remember, and what it rests on."""
        return self._each("/memory", shapes.ClaimShape)

    def webhooks(self) -> AsyncIterator[WebhookShape]:
        """Webhook endpoints, and how far each has come."""
        return self._each("/webhooks", WebhookShape)

    async def claim(self, claim: str) -> shapes.ClaimShape:
        """One claim."""
        return await self._get(f"/memory/{claim}", shapes.ClaimShape)

    def flags(self) -> AsyncIterator[shapes.FlagShape]:
        """What the supervisor noticed."""
        return self._each("/flags", shapes.FlagShape)

    async def policy(self) -> shapes.PolicyShape:
        """The policy in force."""
        return await self._get("/policy", shapes.PolicyShape)

    def people(self) -> AsyncIterator[shapes.PersonShape]:
        """Who has access."""
        return self._each("/people", shapes.PersonShape)

    def tokens(self) -> AsyncIterator[shapes.TokenShape]:
        """Every token that was issued, and whether it ended before its time."""
        return self._each("/tokens", shapes.TokenShape)

    def sign_ins(self) -> AsyncIterator[shapes.SignInShape]:
        """The record of sign-ins and of tokens' use."""
        return self._each("/sign-ins", shapes.SignInShape)

    def entries(self, *, after: int = 0) -> AsyncIterator[shapes.EntryShape]:
        """The ledger's entries after that index, up to its end now."""
        return self._each("/ledger/entries", shapes.EntryShape, {"after": str(after)})

    async def entry(self, index: int) -> shapes.EntryShape:
        """One entry."""
        return await self._get(f"/ledger/entries/{index}", shapes.EntryShape)

    async def proof(self, index: int) -> shapes.ProofShape:
        """An entry's path to the newest seal, to be checked by whoever asks."""
        return await self._get(f"/ledger/entries/{index}/proof", shapes.ProofShape)

    async def checkpoint(self) -> shapes.CheckpointShape:
        """The newest seal."""
        return await self._get("/ledger/checkpoint", shapes.CheckpointShape)

    async def _decide(self, proposal: str, decision: Decision, note: str, change: str = "") -> int:
        wish = asks.Answer(decision=decision, note=note, change=change)
        return (await self._post(f"/approvals/{proposal}/decision", wish, shapes.Recorded)).index

    async def _each(
        self, path: str, shape: type[T], given: Mapping[str, str] | None = None
    ) -> AsyncIterator[T]:
        asked = dict(given or {})
        while True:
            page = _read(await self._ask("GET", path, params=asked), shapes.Page[shape])  # type: ignore[valid-type]
            for item in page.items:
                yield item
            if page.next is None:
                return
            asked["cursor"] = page.next

    async def _get(self, path: str, shape: type[T]) -> T:
        return _read(await self._ask("GET", path), shape)

    async def _post(self, path: str, wish: Struct, shape: type[T]) -> T:
        headers = {"content-type": "application/json", "idempotency-key": f'"{uuid.uuid4()}"'}
        content = msgspec.json.encode(wish)
        return _read(await self._ask("POST", path, content=content, headers=headers), shape)

    async def _ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        again = AsyncRetrying(
            stop=stop_after_attempt(TRIES),
            wait=_AsTold(),
            retry=retry_if_exception_type(_Again),
            reraise=True,
        )
        try:
            async for attempt in again:
                with attempt:
                    return await self._once(method, path, attempt.retry_state, given)
        except _Again as error:
            raise error.last from error
        raise AssertionError("unreachable: the last attempt raises")

    async def _once(
        self, method: str, path: str, state: RetryCallState, given: dict[str, Any]
    ) -> httpx.Response:
        try:
            answer = await self._http.request(method, PREFIX + path, **given)
        except httpx.TransportError as error:
            said = f"{type(error).__name__}: {error}"
            told = Unreachable(f"no answer from {self._http.base_url}: {said}", fix="is it up?")
            raise _Again(0.2 * 2**state.attempt_number, told) from error
        if answer.is_success:
            return answer
        refused = _refusal(answer)
        wait = answer.headers.get("retry-after", "")
        if answer.status_code == 429 and wait.isdecimal() and int(wait) <= MOST_WAIT_S:
            raise _Again(float(wait), refused)
        raise refused


@asynccontextmanager
async def connect(
    url: str, token: str, *, ca: str | Path | None = None, timeout_s: float = 30.0
) -> AsyncIterator[Client]:
    """A client of the console at `url`, by a token of `anyteam tokens create`.

    `ca` is a PEM file of the authority to believe, where it is not one of the system's: an
    installation's own is `identities/console/site-ca.crt` in its data folder.
    """
    trusted = ssl.create_default_context(cafile=str(ca) if ca is not None else None)
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    async with httpx.AsyncClient(
        base_url=url, verify=trusted, headers=headers, timeout=timeout_s
    ) as http:
        yield Client(http)


def _read(answer: httpx.Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=shape)
    except msgspec.DecodeError as error:
        raise Unreachable(
            f"{answer.url} does not answer as the API does: {error}",
            fix="is that the console's address, and of this version?",
        ) from error


def _refusal(answer: httpx.Response) -> Unreachable | Refused:
    try:
        said = msgspec.json.decode(answer.content, type=Problem)
    except msgspec.DecodeError:
        return Unreachable(
            f"{answer.url} answers {answer.status_code}, and not as the API does",
            fix="is that the console's address?",
        )
    return Refused(said.detail, fix=said.fix, status=said.status, kind=said.type.rpartition(":")[2])
