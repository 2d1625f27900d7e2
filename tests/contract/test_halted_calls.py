"""A call under way when its run is halted: nobody waits on, and what is said of it is true."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from crypto.keyring import Keyring
from crypto.sealing import WorkspaceKeys
from crypto.signing import Signer
from schemas.actions import ActionOutcome
from schemas.connectors import (
    ConnectorSettings,
    CrmSettings,
    FilesSettings,
    MailSettings,
)
from schemas.connectors import ImapSettings as Imap
from schemas.connectors import SmtpSettings as Smtp
from sidecar.connectors.serving import Connectors
from sidecar.destinations.resolver import Resolver
from sidecar.effects import Execute, Performed, Withdraw
from sidecar.performer import Performer
from sidecar.vault import Secret, Vault
from tests.contract.mail_benches import MailBench
from tests.contract.services import DEADLINE_S, CrmBench, new_key

pytestmark = pytest.mark.asyncio

LONG_S, SHORT_S = DEADLINE_S, 0.3
"""For how long the tool is asked: until it has answered, or until it will not have."""


@pytest_asyncio.fixture
async def crm(tmp_path: Path) -> AsyncIterator[CrmBench]:
    """A CRM, which the test starts."""
    made = CrmBench(tmp_path)
    yield made
    if made.service is not None:
        await made.down()


def performer(
    home: Path,
    settings: ConnectorSettings,
    settle_s: float = LONG_S,
    grace_s: float = SHORT_S,
    **secrets: str,
) -> Performer:
    vault, nameservers = Vault(home / "vault", bytes(32), "acme"), ["192.0.2.53"]
    for name, secret in secrets.items():
        vault.put(name, Secret(secret))
    resolver = Resolver(nameservers)
    return Performer(
        "acme",
        connectors=Connectors(settings, {}, vault, base=home, resolver=resolver),
        keys=WorkspaceKeys(Keyring(nodes={"": bytes(32)}, kept={})),
        receipts=Signer.from_seed(bytes(32)),
        receipt_key=bytes(32),
        gateway=None,
        resolver=resolver,
        settle_s=settle_s,
        grace_s=grace_s,
    )


def at_crm(bench: CrmBench, settle_s: float = LONG_S) -> Performer:
    settings = CrmSettings(url=f"http://127.0.0.1:{bench.port}")
    return performer(bench.home, ConnectorSettings(crm=settings), settle_s, crm=bench.credential)


def execute(tool: str, arguments: dict[str, object], **changes: bool) -> Execute:
    return Execute(
        key="action:1",
        run="r1",
        proposal=b"1",
        tool=tool,
        rep="ann",
        arguments=arguments,
        idempotency_key=new_key(),
        **changes,
    )


async def withdrawn(made: Performer, doing: "asyncio.Task[object]") -> Performed:
    """What the run's call says once it is stopped."""
    assert not doing.done()
    await made.perform(Withdraw(key="withdraw:1", run="r1", action="action:1"))
    result = await doing
    assert isinstance(result, Performed)
    assert result.reconciled
    return result


@pytest.mark.parametrize("kept", [True, False])
async def test_what_the_far_side_has_not_answered_is_asked_about_and_never_taken_for_undone(
    crm: CrmBench, kept: bool
) -> None:
    await crm.start("--hold-answers", *([] if kept else ["--drop-writes"]))
    assert crm.service is not None
    made = at_crm(crm, LONG_S if kept else SHORT_S)
    effect = execute(crm.tool, crm.arguments)
    doing = asyncio.ensure_future(made.perform(effect))
    await crm.service.says("held")
    result = await withdrawn(made, doing)
    assert result.outcome is (ActionOutcome.CONFIRMED if kept else ActionOutcome.UNKNOWN)
    assert crm.asked(effect.idempotency_key) == 1


async def test_a_change_may_still_answer_for_a_moment_and_is_then_taken_at_its_word(
    tmp_path: Path,
) -> None:
    asked, stopped = asyncio.Event(), asyncio.Event()
    deal = b'{"id":"deal-1","stage":"negotiation","next_step":"a call","note":""}'

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.readuntil(b"\r\n\r\n")).startswith(b"PATCH"):
            asked.set()
            await stopped.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(deal), deal))
        writer.close()

    async with await asyncio.start_server(late, "127.0.0.1", 0) as server:
        settings = CrmSettings(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        made = performer(
            tmp_path, ConnectorSettings(crm=settings), grace_s=DEADLINE_S, crm="not-a-real-token"
        )
        change = {"id": "deal-1", "fields": {"next_step": "a call"}}
        doing = asyncio.ensure_future(made.perform(execute("crm.update_deal", change)))
        await asked.wait()
        await made.perform(Withdraw(key="withdraw:1", run="r1", action="action:1"))
        stopped.set()
        result = await doing
    assert isinstance(result, Performed)
    assert (result.outcome, result.reconciled) == (ActionOutcome.CONFIRMED, False)


async def test_a_call_of_a_former_incarnation_that_is_not_seen_yet_is_unknown(
    crm: CrmBench,
) -> None:
    await crm.start()
    effect = execute(crm.tool, crm.arguments, reconcile=True, allowed=False)
    result = await at_crm(crm, SHORT_S).perform(effect)
    assert isinstance(result, Performed)
    assert result.outcome is ActionOutcome.UNKNOWN
    assert crm.asked(effect.idempotency_key) == 0


async def test_a_call_that_a_halt_stood_before_is_failed_without_asking(crm: CrmBench) -> None:
    await crm.start()
    made = at_crm(crm)
    await crm.down()
    effect = execute(crm.tool, crm.arguments, reconcile=True, allowed=False, begun=False)
    result = await made.perform(effect)
    assert isinstance(result, Performed)
    assert result.outcome is ActionOutcome.FAILED


async def test_a_mail_whose_server_has_not_taken_any_of_it_is_known_not_to_be_sent(
    tmp_path: Path,
) -> None:
    bench = MailBench(tmp_path)
    await bench.start()
    called = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    try:
        async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            settings = MailSettings(
                sender="ann@acme.example",
                smtp=Smtp(port=port, tls="none"),
                imap=Imap(port=int((tmp_path / "imap.port").read_text()), tls="none"),
            )
            made = performer(tmp_path, ConnectorSettings(mail=settings), mail=bench.credential)
            doing = asyncio.ensure_future(made.perform(execute(bench.tool, bench.arguments)))
            await called.wait()
            result = await withdrawn(made, doing)
    finally:
        await bench.down()
    assert result.outcome is ActionOutcome.FAILED
    assert not bench.filed("Sent")


async def test_a_read_that_is_stopped_is_failed_since_it_leaves_nothing(crm: CrmBench) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()
        writer.close()

    called = asyncio.Event()
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        settings = CrmSettings(url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        made = performer(crm.home, ConnectorSettings(crm=settings), crm="not-a-real-token")
        doing = asyncio.ensure_future(made.perform(execute("crm.list_deals", {"account": "acc-1"})))
        await called.wait()
        result = await withdrawn(made, doing)
    assert result.outcome is ActionOutcome.FAILED


async def test_a_file_that_is_being_written_is_written_or_known_not_to_be(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    made = performer(tmp_path, ConnectorSettings(files=FilesSettings(root="files")))
    effect = execute("files.write", {"path": "a.txt", "content": "a"})
    doing = asyncio.ensure_future(made.perform(effect))
    await asyncio.sleep(0)
    await made.perform(Withdraw(key="withdraw:1", run="r1", action="action:1"))
    result = await doing
    assert isinstance(result, Performed)
    written = (tmp_path / "files" / "a.txt").exists()
    assert result.outcome is (ActionOutcome.CONFIRMED if written else ActionOutcome.FAILED)
