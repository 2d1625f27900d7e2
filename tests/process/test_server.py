"""The server's life: it starts or says why not, speaks only TLS, and never outlives us."""

import asyncio
import contextlib
import signal
import socket
import ssl
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from bus.client import Msg
from bus.connection import BusClient, connect, disconnect
from bus.consume import CaughtUp, follow
from bus.consumer import leave, replace
from bus.errors import ConnectionRefused, PortTaken, StartFailed
from bus.identity import UserIdentity
from bus.lifeline import guarded
from bus.provision import ensure_operator, provision_workspace
from bus.roles import API
from bus.server import HOST, supported
from bus.tls import client_context, ensure_tls
from crypto.errors import KeyFileTooOpen
from schemas.names import Role
from tests.process.conftest import DEADLINE_S, Bus, Join, Mint, start_bus

pytestmark = pytest.mark.asyncio(loop_scope="session")

EMPTY = 5

PARENT = """
import asyncio, sys
from pathlib import Path
from tests.process.conftest import start_bus

async def main():
    bus = await start_bus(Path(sys.argv[1]))
    print(bus.server.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def until_closed(reader: asyncio.StreamReader) -> None:
    """Wait until the other side has ended this connection, politely or not."""
    async with asyncio.timeout(DEADLINE_S):
        try:
            while await reader.read(4096):
                pass
        except ConnectionError:
            pass


async def test_server_stops_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        port = int(await parent.stdout.readline())
    context = client_context(ensure_tls(tmp_path / "tls"))
    reader, writer = await asyncio.open_connection(HOST, port, ssl=context)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await until_closed(reader)
    writer.close()
    with pytest.raises(OSError):
        await asyncio.open_connection(HOST, port)


async def test_server_stops_even_where_its_guardian_was_killed(tmp_path: Path) -> None:
    bus = await start_bus(tmp_path)
    guardian = bus.server._process
    guardian.kill()
    await guardian.wait()
    await asyncio.open_connection(HOST, bus.server.port)
    await bus.server.stop()
    with pytest.raises(OSError):
        await asyncio.open_connection(HOST, bus.server.port)


async def test_guarded_program_ends_with_its_guardians_standard_input() -> None:
    program = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
    process = await asyncio.create_subprocess_exec(
        *guarded(program), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        assert await process.stdout.readline() == b"up\n"
        process.stdin.close()
        assert await process.wait() == 128 + signal.SIGTERM


async def test_guardian_ends_with_its_programs_exit_code() -> None:
    process = await asyncio.create_subprocess_exec(
        *guarded([sys.executable, "-c", "raise SystemExit(7)"]), stdin=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(DEADLINE_S):
        assert await process.wait() == 7


async def test_process_is_given_a_line_of_any_length_and_learns_that_its_parent_is_gone() -> None:
    program = (
        "import asyncio\n"
        "from bus.lifeline import parent_gone, stdin_reader\n"
        "async def main():\n"
        "    reader = await stdin_reader()\n"
        "    print(len(await reader.readline()), flush=True)\n"
        "    await parent_gone(reader)\n"
        "    raise SystemExit(9)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"s" * 1_000_000 + b"\n")
    async with asyncio.timeout(DEADLINE_S):
        assert await process.stdout.readline() == b"1000001\n"
        process.stdin.close()
        assert await process.wait() == 9


async def test_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as squatter:
        port = squatter.getsockname()[1]
        with pytest.raises(PortTaken, match=str(port)):
            await start_bus(tmp_path, port=port)


async def test_asked_for_port_is_used(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as probe:
        port = probe.getsockname()[1]
    bus = await start_bus(tmp_path, port=port)
    await bus.server.stop()
    assert bus.server.url == f"tls://{HOST}:{port}"


async def test_refused_configuration_is_told_in_the_servers_words(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="no_such_option"):
        await start_bus(tmp_path, config_extra="no_such_option: true\n")


async def test_unusable_store_is_told_in_the_servers_words(tmp_path: Path) -> None:
    (tmp_path / "nats").mkdir()
    (tmp_path / "nats" / "jetstream").write_text("in the way")
    with pytest.raises(StartFailed, match="not a directory"):
        await start_bus(tmp_path)


async def test_ledger_accounts_and_credentials_survive_a_restart(tmp_path: Path) -> None:
    first = await start_bus(tmp_path)
    creds = (tmp_path / "identities" / "sidecar" / "user.creds").read_text()
    user = first.acme.mint(Role.RUNTIME, "run-1", now=0, expires=None)
    client = await connect(first.server.url, user, first.context, name="before")
    await client.request("ws.acme.run.run-1.proposal", b"kept", timeout=DEADLINE_S)
    await client.close()
    token = (tmp_path / "operator" / "acme" / "account.jwt").read_text()
    await first.server.stop()

    second = await start_bus(tmp_path)
    try:
        client = await connect(second.server.url, user, second.context, name="after")
        answer = await client.request("ws.acme.run.run-1.proposal", b"more", timeout=DEADLINE_S)
        await client.close()
    finally:
        await second.server.stop()
    assert b'"seq":2' in answer.data.replace(b" ", b"")
    assert (tmp_path / "operator" / "acme" / "account.jwt").read_text() == token
    assert (tmp_path / "identities" / "sidecar" / "user.creds").read_text() == creds


async def test_client_returns_by_itself_once_the_server_does(tmp_path: Path) -> None:
    first = await start_bus(tmp_path)
    user = first.acme.mint(Role.RUNTIME, "run-1", now=0, expires=None)
    client = await connect(first.server.url, user, first.context, name="patient")
    await first.server.stop()
    second = await start_bus(tmp_path, port=first.server.port)
    try:
        async with asyncio.timeout(DEADLINE_S):
            answer = await client.request("ws.acme.run.run-1.proposal", b"", timeout=DEADLINE_S)
        assert b'"stream":"LEDGER"' in answer.data.replace(b" ", b"")
        assert client.stats["reconnects"] == 1
    finally:
        await client.close()
        await second.server.stop()


async def test_plain_text_client_is_refused(bus: Bus) -> None:
    reader, writer = await asyncio.open_connection(HOST, bus.server.port)
    writer.write(b'CONNECT {"verbose":true}\r\nPING\r\n')
    async with asyncio.timeout(DEADLINE_S):
        try:
            heard = await reader.read()
        except ConnectionError:
            heard = b""
    writer.close()
    assert b"INFO" not in heard and b"PONG" not in heard


async def test_client_without_certificate_is_refused(bus: Bus, mint: Mint) -> None:
    bare = ssl.create_default_context(cafile=str(bus.tls.ca))
    with pytest.raises(ConnectionRefused):
        await connect(bus.server.url, mint(Role.SIDECAR, "sidecar"), bare, name="bare")


async def test_client_refuses_a_server_of_another_authority(
    bus: Bus, mint: Mint, tmp_path: Path
) -> None:
    strange = client_context(ensure_tls(tmp_path))
    with pytest.raises(ConnectionRefused, match="certificate verify failed"):
        await connect(bus.server.url, mint(Role.SIDECAR, "sidecar"), strange, name="strange")


async def test_client_does_not_speak_to_a_server_without_tls(mint: Mint, bus: Bus) -> None:
    heard = asyncio.Queue[bytes]()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","version":"2.15.1","nonce":"abc","headers":true}\r\n')
        await heard.put(await reader.read())
        writer.close()

    impostor = await asyncio.start_server(greet, HOST, 0)
    port = impostor.sockets[0].getsockname()[1]
    user: UserIdentity = mint(Role.SIDECAR, "sidecar")
    with pytest.raises(ConnectionRefused):
        await connect(f"nats://{HOST}:{port}", user, bus.context, name="lured", timeout_s=1)
    async with asyncio.timeout(DEADLINE_S):
        assert user.jwt.encode() not in await heard.get()
    impostor.close()


async def test_absent_server_is_told_at_once(mint: Mint, bus: Bus) -> None:
    with socket.create_server((HOST, 0)) as probe:
        port = probe.getsockname()[1]
    user = mint(Role.SIDECAR, "sidecar")
    with pytest.raises(ConnectionRefused, match="cannot connect"):
        await connect(f"tls://{HOST}:{port}", user, bus.context, name="early")


async def test_message_over_a_megabyte_is_refused_before_it_is_sent(join: Join) -> None:
    runtime = await join(Role.RUNTIME, "run-1")
    assert runtime.client.max_payload == 1024 * 1024


async def test_secrets_are_readable_by_their_owner_only(bus: Bus) -> None:
    secret = [*(bus.home / "operator").rglob("*"), *(bus.home / "identities").rglob("*")]
    secret += (bus.home / "tls").glob("*.key")
    secret += [bus.home / "nats" / "server.conf", bus.home / "nats" / "server.log"]
    assert len(secret) > 20
    for path in secret:
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    for name in ("operator", "identities", "nats", "tls"):
        assert stat.S_IMODE((bus.home / name).stat().st_mode) == 0o700, name


async def test_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ensure_operator(tmp_path)
    (tmp_path / "operator.nk").chmod(0o640)
    with pytest.raises(KeyFileTooOpen, match=r"operator\.nk"):
        ensure_operator(tmp_path)


async def test_second_provisioning_changes_no_file(bus: Bus) -> None:
    def contents() -> dict[Path, bytes]:
        folders = (bus.home / "operator" / "acme", bus.home / "identities")
        return {p: p.read_bytes() for f in folders for p in f.rglob("*") if p.is_file()}

    before = contents()
    again = await provision_workspace(bus.site, "acme", identities=bus.home / "identities")
    assert contents() == before
    assert again == bus.acme


@pytest.mark.parametrize(
    ("version", "fit"),
    [("2.12.5", False), ("2.9.25", False), ("2.12.6", True), ("2.15.1", True), ("3.0.0-R.1", True)],
)
async def test_servers_with_known_holes_are_not_supported(version: str, fit: bool) -> None:
    assert supported(version) is fit


async def test_server_writes_through_to_disk_unless_told_otherwise(bus: Bus) -> None:
    config = (bus.home / "nats" / "server.conf").read_text()
    assert 'sync_interval: "always"' in config


async def test_who_read_to_the_end_leaves_no_consumer_behind(join: Join) -> None:
    """Or a thousand of a morning's readers would be all that the server lets in."""
    reader = await join(Role.ADMIN, "admin")

    async def counted() -> int:
        info = await reader.ask(f"{API}.STREAM.INFO.LEDGER")
        return int(info["state"]["consumer_count"])

    before = await counted()
    for _ in range(3):
        found = follow(
            reader.client,
            stream="LEDGER",
            filter_subject=None,
            consumer=Role.ADMIN.value,
            throwaway=True,
        )
        async with contextlib.aclosing(found) as entries:
            async for item in entries:
                if isinstance(item, CaughtUp):
                    break
    async with asyncio.timeout(DEADLINE_S):
        while await counted() > before:
            await asyncio.sleep(0.01)


async def test_entries_without_a_body_hold_no_reader_up(join: Join) -> None:
    """They end what was asked of the server, which says nothing of it."""
    runtime = await join(Role.RUNTIME, "run-empty")
    for _ in range(EMPTY):
        assert (await runtime.ask("ws.acme.run.run-empty.proposal", b""))["stream"] == "LEDGER"
    reader = await join(Role.ADMIN, "admin")
    found = follow(
        reader.client,
        stream="LEDGER",
        filter_subject="ws.acme.run.run-empty.>",
        consumer=Role.ADMIN.value,
        throwaway=True,
    )
    bodies = []
    # Each would be waited for in silence otherwise, for longer than this together.
    async with asyncio.timeout(DEADLINE_S), contextlib.aclosing(found) as entries:
        async for item in entries:
            if isinstance(item, CaughtUp):
                break
            bodies.append(item.body)
    assert bodies == [b""] * EMPTY


@pytest.mark.parametrize("status", ["100", "408", "409"])
async def test_an_entry_whose_author_gave_it_a_status_is_read_like_any_other(
    join: Join, status: str
) -> None:
    runtime = await join(Role.RUNTIME, f"run-status-{status}")
    subject = f"ws.acme.run.run-status-{status}.proposal"
    given = {"Status": status, "Nats-Pending-Messages": "9"}
    await runtime.client.request(subject, b"junk", timeout=DEADLINE_S, headers=given)
    await runtime.client.request(subject, b"more", timeout=DEADLINE_S)
    reader = await join(Role.ADMIN, "admin")
    found = follow(
        reader.client,
        stream="LEDGER",
        filter_subject=f"ws.acme.run.run-status-{status}.>",
        consumer=Role.ADMIN.value,
        throwaway=True,
    )
    bodies = []
    async with asyncio.timeout(DEADLINE_S), contextlib.aclosing(found) as entries:
        async for item in entries:
            if isinstance(item, CaughtUp):
                break
            bodies.append(item.body)
    assert bodies == [b"junk", b"more"]


async def test_entries_gather_only_while_a_reader_that_has_all_of_them_rests(join: Join) -> None:
    runtime = await join(Role.RUNTIME, "run-rest")
    subject = "ws.acme.run.run-rest.proposal"

    async def say(numbers: range) -> None:
        for number in numbers:
            await runtime.ask(subject, b"%d" % number)

    await say(range(EMPTY))
    reader = await join(Role.ADMIN, "admin")
    read: list[bytes] = []
    rested: list[int] = []
    resting = asyncio.Event()

    def rest() -> float:
        rested.append(len(read))
        resting.set()
        return 0.01

    async def say_more() -> None:
        await resting.wait()
        await say(range(EMPTY, 2 * EMPTY))

    found = follow(
        reader.client,
        stream="LEDGER",
        filter_subject="ws.acme.run.run-rest.>",
        consumer=Role.ADMIN.value,
        throwaway=True,
        rest=rest,
    )
    saying = asyncio.ensure_future(say_more())
    async with asyncio.timeout(DEADLINE_S), contextlib.aclosing(found) as entries:
        async for item in entries:
            if not isinstance(item, CaughtUp):
                read.append(item.body)
            if len(read) == 2 * EMPTY:
                break
    await saying
    assert read == [b"%d" % number for number in range(2 * EMPTY)]
    assert rested[0] == EMPTY, "not before it had all that waited when it began"


class _Slow(BusClient):
    """A connection whose next request to remove a consumer is answered and not obeyed."""

    kept = 1
    made = 0

    async def request(self, subject: str, *args: Any, **options: Any) -> Msg:
        if ".CONSUMER.DELETE." in subject and self.kept:
            self.kept -= 1
            return Msg(self, subject, data=b'{"success": true}')
        self.made += ".CONSUMER.CREATE." in subject
        return await super().request(subject, *args, **options)


async def test_a_consumer_that_is_removed_late_is_replaced_all_the_same(
    join: Join, bus: Bus
) -> None:
    reader = await join(Role.ADMIN, "admin")
    assert await replace(reader.client, "LEDGER", "admin-late", None, 0) is not None
    slow = _Slow()
    await slow.connect(
        bus.server.url,
        tls=bus.context,
        tls_handshake_first=True,
        user_jwt_cb=reader.identity.present,
        signature_cb=reader.identity.answer,
        inbox_prefix=reader.identity.inbox,
    )
    try:
        assert await replace(slow, "LEDGER", "admin-late", None, 1) is not None
        assert (slow.kept, slow.made) == (0, 2)
        await leave(slow, "LEDGER", "admin-late")
    finally:
        await slow.close()


async def test_what_is_still_on_its_way_to_who_has_closed_is_no_trouble(join: Join) -> None:
    reader = await join(Role.ADMIN, "admin")
    transport = reader.client._transport
    assert transport is not None
    closed = transport.wait_closed

    async def late() -> None:
        await closed()
        raise ssl.SSLError("application data after close notify")

    transport.wait_closed = late  # type: ignore[method-assign]
    await disconnect(reader.client)
    assert reader.client.is_closed
    assert reader.problems.empty()
