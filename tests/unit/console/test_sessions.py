"""Sessions and links: once, in one browser, for a while, and no longer than the ledger allows."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from console.view.state import Grant, Workspace
from console.web.errors import BadForm, LinkInvalid, NotAllowed, TooMany
from console.web.sessions import ASKED_PER_ADDRESS, Limits, Sessions, csrf_of, same_csrf
from console.web.store import Store, plain_address
from schemas.access import AccessRole, SessionOpened, SignInLocked
from schemas.events import AnyBody


class Door(Struct):
    """Sessions with a clock that is turned by hand, and what they put on record."""

    sessions: Sessions
    view: Workspace
    account: str
    said: list[AnyBody]
    now: list[float]

    def after(self, seconds: float) -> None:
        self.now[0] += seconds


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    said: list[AnyBody] = []
    now = [1_000_000.0]

    async def record(body: AnyBody) -> None:
        said.append(body)

    store, view = Store(tmp_path / "store"), Workspace("acme")
    account = store.account_for("ada@acme.example")
    view.grants[account] = Grant(account, AccessRole.ADMIN, "ada", "ada", 0)
    limits = Limits(lives_s=3_600, idle_s=600)
    yield Door(Sessions(store, view, record, limits, lambda: now[0]), view, account, said, now)
    store.close()


def asked(door: Door, browser: str = "b1") -> str:
    token = door.sessions.link_for("ADA@acme.example ", browser, "127.0.0.1")
    assert token is not None
    return token


async def test_a_link_opens_one_session_and_then_nothing(door: Door) -> None:
    token = asked(door)
    cookie = await door.sessions.spend(token, "b1", "peer")
    visitor = door.sessions.visitor(cookie)
    assert visitor is not None
    assert (visitor.address, visitor.role, visitor.person) == (
        "ada@acme.example",
        AccessRole.ADMIN,
        "ada",
    )
    assert [type(body) for body in door.said] == [SessionOpened]
    with pytest.raises(LinkInvalid):
        await door.sessions.spend(token, "b1", "peer")


async def test_a_link_opens_nothing_after_ten_minutes(door: Door) -> None:
    token = asked(door)
    door.after(600)
    with pytest.raises(LinkInvalid):
        await door.sessions.spend(token, "b1", "peer")


async def test_a_link_tried_elsewhere_still_serves_the_browser_that_asked(door: Door) -> None:
    token = asked(door)
    with pytest.raises(LinkInvalid):
        await door.sessions.spend(token, "b2", "peer")
    assert await door.sessions.spend(token, "b1", "peer")


async def test_five_tries_elsewhere_lock_the_account_for_a_while_and_say_so_once(
    door: Door,
) -> None:
    token = asked(door)
    for _ in range(6):
        with pytest.raises(LinkInvalid):
            await door.sessions.spend(token, "b2", "peer")
    with pytest.raises(TooMany):
        await door.sessions.spend(token, "b1", "peer")
    assert door.sessions.link_for("ada@acme.example", "b1", "peer") is None
    assert [type(body) for body in door.said] == [SignInLocked]
    door.after(901)
    assert await door.sessions.spend(asked(door), "b1", "peer")


async def test_a_session_ends_with_its_time_with_idleness_and_with_a_revocation(
    door: Door,
) -> None:
    for seconds, idle in ((3_600, True), (601, True), (0, False)):
        cookie = await door.sessions.open(door.account, "link")
        assert door.sessions.visitor(cookie) is not None
        door.after(seconds)
        if not idle:
            door.view.grants[door.account].revoked = "left"
        assert door.sessions.visitor(cookie) is None
    with pytest.raises(NotAllowed):
        await door.sessions.open(door.account, "link")


async def test_use_keeps_a_session_from_idling_but_not_beyond_its_life(door: Door) -> None:
    cookie = await door.sessions.open(door.account, "link")
    for _ in range(7):
        door.after(500)
        assert door.sessions.visitor(cookie) is not None
    door.after(101)
    assert door.sessions.visitor(cookie) is None


async def test_a_session_that_is_closed_is_gone_even_if_it_cannot_be_recorded(door: Door) -> None:
    cookie = await door.sessions.open(door.account, "link")
    visitor = door.sessions.visitor(cookie)
    assert visitor is not None

    async def down(body: AnyBody) -> None:
        raise OSError("the bus is down")

    broken = Sessions(door.sessions.store, door.view, down, Limits(3_600, 600), lambda: door.now[0])
    with pytest.raises(OSError, match="bus"):
        await broken.close(visitor, "signed out")
    assert door.sessions.visitor(cookie) is None


def test_nobody_without_access_gets_a_link_and_an_address_gets_only_so_many(door: Door) -> None:
    assert door.sessions.link_for("eve@acme.example", "b1", "peer") is None
    for _ in range(ASKED_PER_ADDRESS):
        asked(door)
    assert door.sessions.link_for("ada@acme.example", "b1", "peer") is None


def test_a_peer_that_asks_on_and_on_is_told_to_wait(door: Door) -> None:
    with pytest.raises(TooMany):
        for number in range(40):
            door.sessions.link_for(f"n{number}@acme.example", "b1", "peer")
    assert door.sessions.link_for("ada@acme.example", "b1", "another peer") is not None


def test_the_store_holds_no_secret_and_forgets_an_address_for_good(
    door: Door, tmp_path: Path
) -> None:
    token = asked(door)
    door.sessions.store.forget(door.account)
    door.sessions.store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in kept
    assert b"ada@acme.example" not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("store"))


def test_a_forms_token_is_of_its_cookie_alone() -> None:
    assert same_csrf("one", csrf_of("one"))
    assert not same_csrf("one", csrf_of("other"))
    assert not same_csrf("", csrf_of(""))
    assert not same_csrf("one", "not ascii: ü")


@pytest.mark.parametrize(
    "text", ["", "ada", "@acme.example", "a b@c", "a@b\r\nBcc: x@y", "a@b,c@d"]
)
def test_what_is_no_mail_address_is_refused(text: str) -> None:
    with pytest.raises(BadForm):
        plain_address(text)
