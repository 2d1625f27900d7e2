"""What the connectors' tests rest on: the example services keep, log and end as they say."""

import json
import smtplib
from pathlib import Path

import httpx
import pytest

from sidecar.connectors.connector import Finding
from tests.contract.conftest import Remote
from tests.contract.mail_benches import FilingMailBench, MailBench
from tests.contract.services import DEADLINE_S, CrmBench, new_key

pytestmark = pytest.mark.asyncio

MESSAGE = "Message-ID: <one@acme.example>\r\nSubject: one\r\n\r\nhello\r\n"


@pytest.mark.parametrize("end", ["lifeline", "signal"])
async def test_a_service_ends_with_its_parent_or_on_sigterm(remote: Remote, end: str) -> None:
    await remote.start()
    assert remote.service is not None
    process = remote.service.process
    if end == "signal":
        process.terminate()
    else:
        assert process.stdin is not None
        process.stdin.close()
    assert await process.wait() == 0


async def test_two_deliveries_of_one_message_are_two_lines_and_two_copies(tmp_path: Path) -> None:
    bench = FilingMailBench(tmp_path)
    await bench.start()
    try:
        for _ in range(2):
            with smtplib.SMTP("127.0.0.1", bench.port, timeout=DEADLINE_S) as client:
                client.login("ann@acme.example", bench.credential)
                client.sendmail("ann@acme.example", ["jane.doe@boeing.example"], MESSAGE)
    finally:
        await bench.down()
    assert [entry["message_id"] for entry in bench.entries()] == ["<one@acme.example>"] * 2
    assert [b"Subject: one" in copy for copy in bench.filed("Sent")] == [True, True]


async def test_a_message_that_was_answered_for_outlives_a_crash_under_its_name(
    mail: MailBench,
) -> None:
    await mail.start()
    key = new_key()
    await mail.connector().execute(mail.tool, mail.arguments, key)
    listed = await mail.connector().execute("mail.list", {}, new_key())
    await mail.down()
    await mail.start()
    assert (await mail.connector().execute("mail.list", {}, new_key())).result == listed.result
    found = await mail.connector().reconcile(mail.tool, mail.arguments, key)
    assert found.finding is Finding.DONE


async def test_the_crm_keeps_a_change_and_its_key_across_a_crash(crm: CrmBench) -> None:
    key, headers = new_key(), {"Authorization": "Bearer not-a-real-token"}
    change = {"stage": "closed_won"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as client:
        url = f"http://127.0.0.1:{crm.port}"
        first = await client.patch(
            f"{url}/deals/deal-1", json=change, headers={"Idempotency-Key": key}
        )
        await crm.down()
        await crm.start()
        url = f"http://127.0.0.1:{crm.port}"
        kept = (await client.get(f"{url}/keys/{key}")).json()
        again = await client.patch(
            f"{url}/deals/deal-1", json=change, headers={"Idempotency-Key": key}
        )
    assert kept == {"key": key, "known": True, "deal": "deal-1", "fields": change}
    assert first.json() == again.json()
    assert [entry["effect"] for entry in crm.entries()] == ["applied", "repeated"]
    assert json.loads(crm.entries()[0]["body"]) == change


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, '{"stage": "closed_won"}', 400),
        ({"Idempotency-Key": "k"}, '{"amount": "1"}', 422),
        ({"Idempotency-Key": "k"}, "[]", 422),
        ({"Idempotency-Key": "k"}, "{", 422),
        ({"Idempotency-Key": "k", "Authorization": "Bearer no"}, '{"stage": "x"}', 401),
    ],
)
async def test_the_crm_refuses_a_change_that_is_out_of_form(
    crm: CrmBench, headers: dict[str, str], body: str, status: int
) -> None:
    before = (crm.home / "crm.json").read_bytes()
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.patch(
            f"http://127.0.0.1:{crm.port}/deals/deal-1",
            content=body,
            headers={"Authorization": "Bearer not-a-real-token", **headers},
        )
    assert answer.status_code == status
    assert (crm.home / "crm.json").read_bytes() == before
