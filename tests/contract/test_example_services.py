"""What the connectors' tests rest on: the example services keep, log and end as they say."""

import json
import smtplib
from pathlib import Path

import httpx
import pytest

from tests.contract.services import DEADLINE_S, CrmBench, MailBench, Service, new_key

pytestmark = pytest.mark.asyncio

MESSAGE = "Message-ID: <one@acme.example>\r\nSubject: one\r\n\r\nhello\r\n"


@pytest.mark.parametrize("end", ["lifeline", "signal"])
async def test_a_service_ends_with_its_parent_or_on_sigterm(
    remote: MailBench | CrmBench, end: str
) -> None:
    await remote.start()
    assert remote.service is not None
    process = remote.service.process
    if end == "signal":
        process.terminate()
    else:
        assert process.stdin is not None
        process.stdin.close()
    assert await process.wait() == 0


async def test_two_deliveries_of_one_message_are_two_lines_and_one_file(tmp_path: Path) -> None:
    log, sent = tmp_path / "log", tmp_path / "sent"
    service = await Service.start(
        "examples.mail_service", tmp_path / "port", f"--sent={sent}", f"--log={log}"
    )
    try:
        for _ in range(2):
            with smtplib.SMTP("127.0.0.1", service.port, timeout=DEADLINE_S) as client:
                client.sendmail("ann@acme.example", ["jane.doe@boeing.example"], MESSAGE)
    finally:
        await service.kill()
    deliveries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["message_id"] for entry in deliveries] == ["<one@acme.example>"] * 2
    assert [path.name for path in sent.iterdir()] == ["one@acme.example.eml"]
    assert (sent / "one@acme.example.eml").read_bytes() == MESSAGE.encode()


async def test_a_message_id_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    service = await Service.start(
        "examples.mail_service", tmp_path / "port", f"--sent={sent}", f"--log={tmp_path / 'log'}"
    )
    try:
        with smtplib.SMTP("127.0.0.1", service.port, timeout=DEADLINE_S) as client:
            client.sendmail(
                "a@b.example", ["c@d.example"], "Message-ID: <../../x@acme.example>\r\n\r\n"
            )
    finally:
        await service.kill()
    (kept,) = sent.iterdir()
    assert kept.name.endswith(".eml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "port", "sent"]


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
