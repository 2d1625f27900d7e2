"""Who calls: good for what the ledger says a token is good for, and on record once."""

import asyncio
from collections.abc import Callable

import pytest
from msgspec import Struct

from console.api.bearers import Bearers
from console.api.errors import Slower, TokenInvalid
from console.tokens import PREFIX, digest_of
from console.view.state import Grant, Token, Workspace
from console.web.permissions import May
from schemas.access import AccessRole, SessionOpened, TokenIssued, TokenScope
from schemas.events import AnyBody
from schemas.names import SECOND

ACCOUNT = "u-0123456789abcdef"
SECRET = PREFIX + "s" * 43
HEADER = f"Bearer {SECRET}"


class Gate(Struct):
    """Bearers with a clock that is turned by hand, and what they put on record."""

    bearers: Bearers
    view: Workspace
    said: list[AnyBody]
    now: list[int]


@pytest.fixture
def gate() -> Gate:
    view, said, now = Workspace("acme"), [], [1_000 * SECOND]

    async def record(body: AnyBody) -> None:
        said.append(body)

    view.grants[ACCOUNT] = Grant(ACCOUNT, AccessRole.APPROVER, "ada", "ada", 0)
    body = TokenIssued(
        account=ACCOUNT,
        token="t-0123456789abcdef",
        label="nightly",
        digest=digest_of(SECRET),
        scopes=(TokenScope.READ, TokenScope.ADMIN),
        expires=2_000 * SECOND,
    )
    view.tokens[body.digest] = Token(body, "ada", 0)
    return Gate(Bearers(view, record, 60, lambda: now[0]), view, said, now)


async def test_a_token_may_what_is_in_its_scopes_and_in_the_role(gate: Gate) -> None:
    visitor = await gate.bearers.visitor(gate.bearers.token(HEADER, "peer"))
    assert visitor.may(May.SEE_ALL) and visitor.person == "ada"
    assert not visitor.may(May.DECIDE), "the role may, the scopes do not"
    assert not visitor.may(May.RELEASE), "the scope would, the role may not"


async def test_its_first_use_is_on_record_once_however_many_come_at_once(gate: Gate) -> None:
    token = gate.bearers.token(HEADER, "peer")
    await asyncio.gather(*(gate.bearers.visitor(token) for _ in range(5)))
    assert [type(body) for body in gate.said] == [SessionOpened]
    assert gate.said[0].method == "token/t-0123456789abcdef"


def _expire(gate: Gate) -> None:
    gate.now[0] = 2_000 * SECOND


def _revoke(gate: Gate) -> None:
    gate.view.tokens[digest_of(SECRET)].revoked = "lost"


def _forget(gate: Gate) -> None:
    gate.view.tokens.clear()


@pytest.mark.parametrize("end", [_expire, _revoke, _forget])
def test_a_token_that_ended_opens_nothing(gate: Gate, end: Callable[[Gate], None]) -> None:
    gate.bearers.token(HEADER, "peer")
    end(gate)
    with pytest.raises(TokenInvalid):
        gate.bearers.token(HEADER, "peer")


async def test_a_token_ends_with_its_accounts_access(gate: Gate) -> None:
    gate.view.grants[ACCOUNT].revoked = "left"
    with pytest.raises(TokenInvalid, match="no access"):
        await gate.bearers.visitor(gate.bearers.token(HEADER, "peer"))


@pytest.mark.parametrize(
    "header", ["", "Bearer", f"Basic {SECRET}", SECRET, "Bearer " + SECRET[8:]]
)
def test_what_is_no_bearer_token_of_ours_is_none(gate: Gate, header: str) -> None:
    with pytest.raises(TokenInvalid, match="Authorization"):
        gate.bearers.token(header, "peer")


def test_guesses_are_slowed_by_where_they_come_from_and_hold_up_no_good_token(gate: Gate) -> None:
    for _ in range(6):
        with pytest.raises(TokenInvalid):
            gate.bearers.token("Bearer anyteam_guess", "peer")
    with pytest.raises(Slower):
        gate.bearers.token("Bearer anyteam_guess", "peer")
    gate.bearers.token(HEADER, "peer")


def test_a_token_has_a_limit_and_is_told_how_long_to_wait(gate: Gate) -> None:
    for _ in range(60):
        gate.bearers.token(HEADER, "peer")
    with pytest.raises(Slower) as slower:
        gate.bearers.token(HEADER, "peer")
    assert slower.value.wait_s == 1
    gate.now[0] += SECOND
    gate.bearers.token(HEADER, "peer")
