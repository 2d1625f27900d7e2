"""What each identity can do on the bus, by trying everything else against a real server."""

import asyncio
import hashlib
from base64 import b32encode
from typing import Any

import msgspec
import nkeys  # type: ignore[import-untyped]
import pytest

from bus.connection import connect
from bus.errors import ConnectionRefused, IdentityError
from bus.identity import (
    KeyKind,
    account_token,
    claims_of,
    format_creds,
    key_from_seed,
    mint_direct_user,
    new_key,
    parse_creds,
)
from bus.provision import provision_workspace, revoke_users
from bus.roles import (
    API,
    ROLES,
    RUN_ROLES,
    consumer_name,
    scope_of,
    topics_published,
)
from schemas.authority import AUTHORITY
from schemas.names import Role
from tests.process.conftest import DEADLINE_S, Bus, Join, Member, Mint

pytestmark = pytest.mark.asyncio(loop_scope="session")

STANDING = tuple(role for role in ROLES if role not in (*RUN_ROLES, Role.DEVICE))
OWN_TOPIC = {Role.RUNTIME: "proposal", Role.JUDGE: "verdict"}


def config(name: str, filter_subject: str | None, **more: object) -> bytes:
    """A request for a throw-away pull consumer on the ledger."""
    wanted: dict[str, object] = {"name": name, "ack_policy": "none", "mem_storage": True, **more}
    if filter_subject is not None:
        wanted["filter_subject"] = filter_subject
    return msgspec.json.encode({"stream_name": "LEDGER", "config": wanted, "action": "create"})


def own_create(member: Member, run: str) -> str:
    """The only subject a run's user may create a consumer on."""
    return f"{API}.CONSUMER.CREATE.LEDGER.{member.identity.public}.ws.acme.run.{run}.>"


async def read_all(member: Member, name: str, subject: str, count: int) -> list[str]:
    """The subjects of the first `count` messages that a new consumer gives."""
    create = f"{API}.CONSUMER.CREATE.LEDGER.{name}.{subject}"
    made = await member.ask(create, config(name, subject))
    assert "error" not in made, made
    inbox = member.client.new_inbox()
    subscription = await member.client.subscribe(inbox)
    want = msgspec.json.encode({"batch": count, "expires": 5_000_000_000})
    await member.client.publish(f"{API}.CONSUMER.MSG.NEXT.LEDGER.{name}", want, reply=inbox)
    found = [(await subscription.next_msg(DEADLINE_S)).subject for _ in range(count)]
    await subscription.unsubscribe()
    await member.ask(f"{API}.CONSUMER.DELETE.LEDGER.{name}")
    return found


@pytest.mark.parametrize("role", RUN_ROLES)
async def test_run_user_writes_its_own_topic_of_its_own_run(join: Join, role: Role) -> None:
    member = await join(role, "run-a")
    answer = await member.ask(f"ws.acme.run.run-a.{OWN_TOPIC[role]}", b"x")
    assert answer["stream"] == "LEDGER"


@pytest.mark.parametrize("role", RUN_ROLES)
async def test_run_user_writes_nothing_else(join: Join, role: Role) -> None:
    member = await join(role, "run-a")
    own = OWN_TOPIC[role]
    foreign = {topic for topic, _ in AUTHORITY.values()} - {own}
    for subject in (
        f"ws.acme.run.run-b.{own}",
        f"ws.acme.admin.{own}",
        f"ws.globex.run.run-a.{own}",
        *(f"ws.acme.run.run-a.{topic}" for topic in foreign),
        *(f"ws.acme.admin.{topic}" for topic in foreign),
        "ws.acme.capture.laptop",
        "seal.acme",
        "$SYS.REQ.CLAIMS.UPDATE",
        "$SYS.REQ.USER.INFO",
        "$JS.ACK.LEDGER.x.1.1.1.1.0",
        "anything",
    ):
        await member.assert_cannot_publish(subject)


@pytest.mark.parametrize("role", STANDING)
async def test_component_writes_exactly_its_topics(join: Join, role: Role) -> None:
    member = await join(role)
    for topic in {topic for topic, _ in AUTHORITY.values()} - set(topics_published(role)):
        await member.assert_cannot_publish(f"ws.acme.run.run-a.{topic}")
        await member.assert_cannot_publish(f"ws.acme.admin.{topic}")
    allowed = [s for s in scope_of(role, "acme").publish if s.startswith("ws.")]
    for subject in allowed:
        answer = await member.ask(subject.replace("*", "run-a"), b"x")
        assert answer["stream"] == "LEDGER"
    if role is Role.SIDECAR:
        assert (await member.ask("seal.acme", b"x"))["stream"] == "SEALS"
    else:
        await member.assert_cannot_publish("seal.acme")


@pytest.mark.parametrize("role", RUN_ROLES)
async def test_run_user_reads_its_own_run_and_no_other(join: Join, role: Role) -> None:
    run = f"run-read-{role.value}"
    sidecar = await join(Role.SIDECAR)
    for subject in (f"{run}.action", "run-other.action", f"{run}.outcome"):
        await sidecar.ask(f"ws.acme.run.{subject}", b"x")
    member = await join(role, run)
    name = consumer_name(role, member.identity.public)
    subjects = await read_all(member, name, f"ws.acme.run.{run}.>", 2)
    assert subjects == [f"ws.acme.run.{run}.action", f"ws.acme.run.{run}.outcome"]


@pytest.mark.parametrize("role", RUN_ROLES)
async def test_run_user_creates_no_wider_consumer(join: Join, role: Role) -> None:
    member = await join(role, "run-a")
    me = member.identity.public
    create = f"{API}.CONSUMER.CREATE.LEDGER"
    for subject in (
        create,
        f"{create}.{me}",
        f"{create}.{me}.ws.acme.>",
        f"{create}.{me}.ws.acme.run.run-b.>",
        f"{create}.other.ws.acme.run.run-a.>",
        f"{API}.CONSUMER.DURABLE.CREATE.LEDGER.{me}",
        f"{API}.CONSUMER.CREATE.SEALS.{me}",
        f"{API}.CONSUMER.CREATE.SEALS.{me}.seal.acme",
        f"{API}.CONSUMER.NAMES.LEDGER",
        f"{API}.CONSUMER.LIST.LEDGER",
        f"{API}.STREAM.INFO.LEDGER",
        f"{API}.STREAM.MSG.GET.LEDGER",
        f"{API}.DIRECT.GET.LEDGER",
        f"{API}.INFO",
    ):
        await member.assert_cannot_publish(subject)


async def test_the_seals_hold_nothing_that_a_run_may_read(join: Join) -> None:
    member, sidecar = await join(Role.RUNTIME, "run-a"), await join(Role.SIDECAR)
    assert (await sidecar.ask("seal.acme", b"x"))["stream"] == "SEALS"
    create = own_create(member, "run-a").replace("LEDGER", "SEALS")
    asked = config(member.identity.public, None).replace(b"LEDGER", b"SEALS")
    answer = await member.ask(create, asked)
    assert answer.get("num_pending", 0) == 0, answer


@pytest.mark.parametrize(
    "wider",
    [
        {"filter_subject": "ws.acme.>"},
        {"filter_subject": "ws.acme.run.run-b.>"},
        {"filter_subject": None},
        {"filter_subject": None, "filter_subjects": ["ws.acme.run.run-a.>", "ws.acme.run.run-b.>"]},
    ],
)
async def test_server_holds_the_filter_to_the_one_in_the_subject(
    join: Join, wider: dict[str, Any]
) -> None:
    member = await join(Role.RUNTIME, "run-a")
    answer = await member.ask(own_create(member, "run-a"), config(member.identity.public, **wider))
    assert answer["error"]["code"] == 400


async def test_consumer_named_in_the_body_does_not_override_the_subject(join: Join) -> None:
    member = await join(Role.RUNTIME, "run-a")
    create = own_create(member, "run-a")
    answer = await member.ask(create, config("other", "ws.acme.run.run-a.>"))
    assert answer["name"] == member.identity.public


async def test_run_user_cannot_touch_another_runs_consumer(join: Join) -> None:
    victim = await join(Role.RUNTIME, "run-b")
    name = victim.identity.public
    made = await victim.ask(own_create(victim, "run-b"), config(name, "ws.acme.run.run-b.>"))
    assert made["name"] == name
    for thief in (await join(Role.RUNTIME, "run-a"), await join(Role.JUDGE, "run-b")):
        for verb in ("MSG.NEXT", "INFO", "DELETE", "RESET", "PAUSE", "UNPIN"):
            await thief.assert_cannot_publish(f"{API}.CONSUMER.{verb}.LEDGER.{name}")


@pytest.mark.parametrize("role", ROLES)
async def test_user_hears_nothing_but_its_own_inbox(join: Join, role: Role) -> None:
    member, other = await join(role, "run-a"), await join(role, "run-a")
    for subject in (
        "ws.>",
        "ws.acme.run.run-a.>",
        ">",
        "_INBOX.>",
        f"{other.identity.inbox}.>",
        "$JS.EVENT.>",
        "$SYS.>",
        "seal.acme",
    ):
        await member.assert_cannot_subscribe(subject)
    own = next((s for s in scope_of(role, "acme").publish if s.startswith("ws.")), None)
    if own is None:
        answer = await member.ask(f"{API}.STREAM.INFO.LEDGER")
        assert answer["config"]["name"] == "LEDGER"
        return
    answer = await member.ask(own.replace("{{name()}}", "run-a").replace("*", "run-a"))
    assert answer["stream"] == "LEDGER"


@pytest.mark.parametrize("role", ROLES)
async def test_no_component_can_remove_or_reshape_a_stream(join: Join, role: Role) -> None:
    member = await join(role, "run-a")
    for stream in ("LEDGER", "SEALS"):
        for verb in (
            "DELETE",
            "PURGE",
            "MSG.DELETE",
            "CREATE",
            "UPDATE",
            "SNAPSHOT",
            "RESTORE",
            "LEADER.STEPDOWN",
        ):
            await member.assert_cannot_publish(f"{API}.STREAM.{verb}.{stream}")


async def test_not_even_the_key_of_the_ledgers_account_can_delete_or_purge_entries(
    bus: Bus, join: Join
) -> None:
    await (await join(Role.SIDECAR)).ask("ws.acme.run.run-a.action", b"x")
    account = key_from_seed((bus.home / "operator" / "acme" / "ledger.nk").read_text())
    user = mint_direct_user(account, name="thief", now=0, expires=None, publish=[">"])
    client = await connect(bus.server.url, user, bus.context, name="thief")
    try:
        for subject, body in (
            ("$JS.API.STREAM.PURGE.LEDGER", b""),
            ("$JS.API.STREAM.MSG.DELETE.LEDGER", b'{"seq":1}'),
        ):
            reply = await client.request(subject, body, timeout=DEADLINE_S)
            assert "error" in msgspec.json.decode(reply.data)
        rollup = await client.request(
            "ws.acme.run.run-a.action", b"", timeout=DEADLINE_S, headers={"Nats-Rollup": "all"}
        )
        assert "error" in msgspec.json.decode(rollup.data)
        got = await client.request(
            "$JS.API.STREAM.MSG.GET.LEDGER", b'{"seq":1}', timeout=DEADLINE_S
        )
        assert "message" in msgspec.json.decode(got.data)
    finally:
        await client.close()


@pytest.mark.parametrize("api", ["$JS.API", API])
@pytest.mark.parametrize("stream", ["LEDGER", "SEALS"])
@pytest.mark.parametrize("want", [{"no_wait": True}, {"expires": 50_000_000}])
async def test_streams_survive_answers_aimed_at_their_deletion(
    join: Join, api: str, stream: str, want: dict[str, Any]
) -> None:
    # JetStream answers to any subject a request names. The status that ends a pull request is
    # an empty message, and so is a request to delete a stream (see `roles.ledger_services`).
    member, sidecar = await join(Role.RUNTIME, "run-aim"), await join(Role.SIDECAR)
    me = member.identity.public
    empty = config(me, "ws.acme.run.run-aim.>", deliver_policy="new")
    assert "error" not in await member.ask(own_create(member, "run-aim"), empty)
    next_message = f"{API}.CONSUMER.MSG.NEXT.LEDGER.{me}"
    body = msgspec.json.encode({"batch": 1, **want})
    await member.client.publish(next_message, body, reply=f"{api}.STREAM.DELETE.{stream}")
    # The same request answered to where it can be heard: by then the first was answered too.
    status = await member.client.request(next_message, body, timeout=DEADLINE_S)
    assert status.data == b"" and (status.headers or {})["Status"] in ("404", "408")
    await member.client.publish(
        "ws.acme.run.run-aim.proposal", b"", reply=f"{api}.STREAM.DELETE.{stream}"
    )
    await member.ask("ws.acme.run.run-aim.proposal")
    assert "error" not in await sidecar.ask(f"{API}.STREAM.INFO.{stream}")


async def test_consumer_delivering_elsewhere_reaches_no_other_user(join: Join) -> None:
    member, victim = await join(Role.RUNTIME, "run-push"), await join(Role.SIDECAR)
    inbox = victim.client.new_inbox()
    heard = await victim.client.subscribe(inbox)
    await member.ask("ws.acme.run.run-push.proposal", b"planted")
    await victim.ask(f"{API}.STREAM.INFO.LEDGER")
    me = member.identity.public
    push = config(me, "ws.acme.run.run-push.>", deliver_subject=inbox, idle_heartbeat=100_000_000)
    made = await member.ask(own_create(member, "run-push"), push)
    assert made["config"]["deliver_subject"] == inbox
    info = await member.ask(f"{API}.CONSUMER.INFO.LEDGER.{me}")
    assert not info.get("push_bound", False)
    assert info["delivered"]["consumer_seq"] == 0
    assert heard.pending_msgs == 0


@pytest.mark.parametrize("role", STANDING)
async def test_component_reads_the_whole_ledger(join: Join, role: Role) -> None:
    sidecar = await join(Role.SIDECAR)
    await sidecar.ask("ws.acme.run.run-a.action", b"x")
    reader = await join(role)
    name = consumer_name(role, reader.identity.public) + "-test"
    assert await read_all(reader, name, "ws.acme.>", 1)


async def test_a_device_writes_its_own_subject_and_reads_nothing(join: Join) -> None:
    device = await join(Role.DEVICE, "laptop")
    answer = await device.ask("ws.acme.capture.laptop", b"x")
    assert answer["stream"] == "LEDGER"
    for subject in (
        "ws.acme.capture.other",
        "ws.acme.run.run-a.capture",
        "ws.acme.admin.key",
        "seal.acme",
        f"{API}.STREAM.INFO.LEDGER",
        f"{API}.STREAM.MSG.GET.LEDGER",
        f"{API}.CONSUMER.CREATE.LEDGER.device-x",
    ):
        await device.assert_cannot_publish(subject)
    await device.assert_cannot_subscribe("ws.acme.>")


async def test_expired_user_is_cut_off(bus: Bus, join: Join) -> None:
    member = await join(Role.RUNTIME, "run-short", ttl_s=2)
    assert "expired" in (await member.end()).what


async def test_expired_user_stays_out(bus: Bus, mint: Mint) -> None:
    expired = mint(Role.RUNTIME, "run-over", ttl_s=-2)
    with pytest.raises(ConnectionRefused, match=r"(?i)authorization|expired"):
        await connect(bus.server.url, expired, bus.context, name="back again")


async def test_revoked_user_is_cut_off_and_others_are_not(bus: Bus, join: Join) -> None:
    revoked, other = await join(Role.REP, "rep-ann"), await join(Role.REP, "rep-bob")
    await revoke_users(bus.site, "acme", [revoked.identity.public])
    assert "revoked" in (await revoked.end()).what
    with pytest.raises(ConnectionRefused, match=r"(?i)authorization"):
        await connect(bus.server.url, revoked.identity, bus.context, name="back again")
    assert (await other.ask("ws.acme.run.run-a.request", b"x"))["stream"] == "LEDGER"
    assert other.client.stats["reconnects"] == 0


async def test_revocation_is_kept_by_later_provisioning(bus: Bus, mint: Mint) -> None:
    user = mint(Role.REP, "rep-eve")
    await revoke_users(bus.site, "acme", [user.public])
    await provision_workspace(bus.site, "acme")
    with pytest.raises(ConnectionRefused, match=r"(?i)authorization"):
        await connect(bus.server.url, user, bus.context, name="eve")


async def test_scoped_key_cannot_mint_a_wider_user(bus: Bus) -> None:
    wide = mint_direct_user(
        bus.acme.scoped[Role.RUNTIME], name="run-a", now=0, expires=None, publish=[">"]
    )
    with pytest.raises(ConnectionRefused, match=r"(?i)authorization"):
        await connect(bus.server.url, wide, bus.context, name="wide")


async def test_workspaces_share_nothing(bus: Bus, join: Join) -> None:
    globex = await provision_workspace(bus.site, "globex")
    theirs = await join(Role.SIDECAR, workspace=globex)
    ours = await join(Role.SIDECAR)
    await theirs.assert_cannot_publish("ws.acme.run.run-a.action")
    await ours.assert_cannot_publish("ws.globex.run.run-a.action")
    await ours.ask("ws.acme.run.run-a.action", b"x")
    await theirs.ask("ws.globex.run.run-a.action", b"x")
    info = await theirs.ask(f"{API}.STREAM.INFO.LEDGER", b'{"subjects_filter":">"}')
    assert set(info["state"]["subjects"]) == {"ws.globex.run.run-a.action"}


async def test_token_is_signed_and_its_id_covers_all_of_it(bus: Bus) -> None:
    token = (bus.home / "operator" / "acme" / "account.jwt").read_text().strip()
    signed, _, signature = token.rpartition(".")
    claims = claims_of(token)
    jti = claims.pop("jti")
    encoded = msgspec.json.encode(claims, order="deterministic")
    digest = hashlib.new("sha512_256", encoded).digest()
    assert jti == b32encode(digest).decode().rstrip("=")
    operator = nkeys.from_seed((bus.home / "operator" / "operator.nk").read_bytes().strip())
    raw = msgspec.json.decode(f'"{signature.translate(str.maketrans("-_", "+/"))}=="', type=bytes)
    assert operator.public_key.decode() == claims["iss"]
    assert operator.verify(signed.encode(), raw)


async def test_two_changes_in_one_second_have_different_ids() -> None:
    operator, account = new_key(KeyKind.OPERATOR), new_key(KeyKind.ACCOUNT)
    tokens = [
        account_token(operator, account.public, name="acme", now=1, revoked=revoked)
        for revoked in ({}, {"UA": 1})
    ]
    assert len({claims_of(token)["jti"] for token in tokens}) == 2


async def test_credentials_come_back_from_their_text(mint: Mint) -> None:
    user = mint(Role.ADMIN, "admin")
    assert parse_creds(format_creds(user)) == user


async def test_credentials_mixed_from_two_users_are_refused(mint: Mint) -> None:
    one, two = mint(Role.ADMIN, "admin"), mint(Role.ADMIN, "admin")
    with pytest.raises(IdentityError, match="different users"):
        parse_creds(format_creds(one).replace(one.seed, two.seed))


@pytest.mark.parametrize("text", ["", "-----BEGIN NATS USER JWT-----", "x.y.z"])
async def test_text_that_is_no_credentials_is_refused(text: str) -> None:
    with pytest.raises(IdentityError):
        parse_creds(text)


async def test_secrets_do_not_show_in_a_printed_identity(mint: Mint) -> None:
    user, key = mint(Role.ADMIN, "admin"), new_key(KeyKind.ACCOUNT)
    assert user.seed not in repr(user) and user.jwt not in repr(user)
    assert key.seed not in repr(key)


async def test_standing_identities_are_on_disk_and_connect(bus: Bus) -> None:
    for role in STANDING:
        creds = (bus.home / "identities" / role.value / "user.creds").read_text()
        client = await connect(bus.server.url, parse_creds(creds), bus.context, name=role.value)
        await client.close()
    minting = sorted(p.name for p in (bus.home / "identities" / "orchestrator").glob("*.nk"))
    assert minting == ["judge.signing.nk", "runtime.signing.nk"]


async def test_many_runs_connect_at_once(bus: Bus, mint: Mint) -> None:
    users = [mint(Role.RUNTIME, f"run-{i}") for i in range(20)]
    clients = await asyncio.gather(
        *(connect(bus.server.url, user, bus.context, name="one of many") for user in users)
    )
    assert all(client.is_connected for client in clients)
    await asyncio.gather(*(client.close() for client in clients))
