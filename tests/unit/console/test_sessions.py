"""Sessions and links: once, in one browser, for a while, and no longer than the ledger allows."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from msgspec import Struct

from console.view.state import Grant, Workspace
from console.web.errors import BadForm, LinkInvalid, NotAllowed, ProviderFailed, TooMany
from console.web.sessions import (
    ASKED_PER_ADDRESS,
    BEGUN_PER_PEER,
    FAILED_PER_PEER,
    TURN_S,
    Limits,
    Sessions,
    csrf_of,
    same_csrf,
)
from console.web.store import GRACE_S, Store, plain_address
from schemas.access import AccessRole, SessionClosed, SessionOpened, SignInLocked
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


async def test_a_session_is_given_another_cookie_every_quarter_of_an_hour(door: Door) -> None:
    first = await door.sessions.open(door.account, "link")
    assert door.sessions.turned(first) is None
    door.after(TURN_S / 2)
    assert door.sessions.visitor(first) is not None
    door.after(TURN_S / 2)
    second = door.sessions.turned(first)
    assert second is not None and second != first
    # Pages that were under way with the old one, and forms that are open, go on.
    assert door.sessions.turned(first) is None
    before, after = door.sessions.visitor(first), door.sessions.visitor(second)
    assert before is not None and after is not None
    assert (before.session, before.csrf) == (after.session, after.csrf)
    assert same_csrf(second, csrf_of(first))


async def test_an_answer_that_was_lost_signs_nobody_out(door: Door) -> None:
    first = await door.sessions.open(door.account, "link")
    door.after(TURN_S - 590)
    assert door.sessions.visitor(first) is not None
    door.after(590)
    assert door.sessions.turned(first) is not None
    door.after(590)
    await door.sessions.watch(first)
    assert door.sessions.visitor(first) is not None


async def test_a_cookie_that_comes_back_after_its_time_ends_the_session_and_is_on_record(
    door: Door,
) -> None:
    first = await door.sessions.open(door.account, "link")
    other = await door.sessions.open(door.account, "link")
    door.after(TURN_S - 500)
    assert door.sessions.visitor(first) is not None
    assert door.sessions.visitor(other) is not None
    door.after(500)
    second = door.sessions.turned(first)
    assert second is not None
    shown = door.sessions.visitor(second)
    assert shown is not None and door.sessions.lasts(shown)
    door.after(GRACE_S - 1)
    await door.sessions.watch(first)
    assert door.sessions.visitor(first) is not None
    door.after(1)
    assert door.sessions.visitor(first) is None
    assert door.sessions.visitor(second) is not None
    await door.sessions.watch(first)
    assert door.sessions.visitor(second) is None
    assert door.sessions.visitor(other) is not None
    assert not door.sessions.lasts(shown)
    (closed,) = [body for body in door.said if isinstance(body, SessionClosed)]
    assert "another had replaced" in closed.reason
    await door.sessions.watch("made up")
    await door.sessions.watch("")


def test_a_store_of_an_earlier_version_keeps_its_sessions(tmp_path: Path) -> None:
    path = tmp_path / "store"
    with closing(sqlite3.connect(path)) as old:
        old.execute(
            "CREATE TABLE session (token BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, account TEXT"
            " NOT NULL, began INTEGER NOT NULL, seen INTEGER NOT NULL, method TEXT NOT NULL)"
        )
        row = (hashlib.sha256(b"secret").digest(), "s-1", "u-1", 1, 1, "link")
        old.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)", row)
        old.commit()
    with closing(Store(path)) as store:
        found = store.session("secret", 2, lives_s=3_600, idle_s=600)
        assert found is not None and found.name == "s-1"
        fresh = store.turn_session("secret", 3)
        assert fresh is not None
        assert store.session(fresh, 4, lives_s=3_600, idle_s=600) is not None
        assert same_csrf(fresh, csrf_of("secret"))


@pytest.mark.parametrize("error", [LinkInvalid("no"), ProviderFailed("no")])
def test_who_brings_answers_that_are_none_is_not_heard_for_a_while(
    door: Door, error: Exception
) -> None:
    for _ in range(FAILED_PER_PEER):
        with pytest.raises(type(error)), door.sessions.answers("peer"):
            raise error
    with pytest.raises(TooMany), door.sessions.answers("peer"):
        raise AssertionError("it is not even looked at")
    with door.sessions.answers("another"):
        pass
    door.after(900)
    with door.sessions.answers("peer"):
        pass


def test_a_provider_that_says_no_is_no_attack(door: Door) -> None:
    for _ in range(FAILED_PER_PEER + 1):
        with pytest.raises(NotAllowed), door.sessions.answers("peer"):
            raise NotAllowed("the provider did not sign you in")


def test_one_address_begins_so_many_sign_ins_and_no_more(door: Door) -> None:
    for _ in range(BEGUN_PER_PEER):
        door.sessions.begins("peer")
    with pytest.raises(TooMany):
        door.sessions.begins("peer")
    door.sessions.begins("another")
