"""What a described HTTP API owes besides: only what is listed, in its place, and told truly."""

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema_rs
import msgspec
import pytest

from schemas.actions import ActionOutcome
from schemas.tools import Effect
from sidecar.connectors.connector import Finding
from sidecar.connectors.rest import RestConnector
from sidecar.connectors.rest_tools import calls_of
from sidecar.errors import BadArguments, BadConnector, Denied, Garbled, TargetRefused
from tests.contract.services import HERE, InvoicesBench, described, new_key
from tests.contract.test_http import answer, canned

REMIND = {"sendReminder": {"effect": "communication", "objects": ["id"]}}
REPLACE: dict[str, Any] = {
    "replaceState": {
        "objects": ["id"],
        "read": {
            "operation": "getInvoice",
            "arguments": {"id": "$id"},
            "holds": {"/state": "$state"},
            "absent_404": True,
        },
    }
}


async def test_only_listed_operations_become_tools_and_the_settings_say_their_effects() -> None:
    calls = {call.tool.name: call.tool for call in calls_of("billing", described("x"), HERE)}
    assert sorted(calls) == [
        "billing.create_invoice",
        "billing.get_invoice",
        "billing.list_invoices",
    ]
    assert calls["billing.create_invoice"].effect is Effect.MUTATION
    assert calls["billing.get_invoice"].effect is Effect.READ
    paying = {"createInvoice": {"effect": "payment", "amounts": ["amount"]}}
    (paid,) = calls_of("billing", described("x", paying), HERE)
    assert paid.tool.effect is Effect.PAYMENT
    assert paid.tool.amounts == ("amount",)


async def test_an_agent_sees_neither_key_nor_credential_nor_what_is_fixed_or_read_only() -> None:
    calls = {call.tool.name: call.tool for call in calls_of("billing", described("x"), HERE)}
    made = calls["billing.create_invoice"].arguments["properties"]
    assert sorted(made) == ["amount", "customer", "lines"]
    assert sorted(calls["billing.list_invoices"].arguments["properties"]) == ["state"]
    schema = jsonschema_rs.Draft202012Validator(calls["billing.create_invoice"].arguments)
    good = {"customer": "x", "amount": 1}
    assert schema.is_valid(good)
    for wrong in (
        {**good, "amount": 0},
        {**good, "amount": 1e17},
        {**good, "customer": "x" * 2_001},
        {**good, "lines": [{}] * 21},
        {**good, "lines": [{"hidden": 1}]},
        {**good, "reference": "r"},
        {**good, "id": "inv-9"},
    ):
        assert not schema.is_valid(wrong)


async def test_a_read_is_asked_as_the_settings_fix_it_and_gives_what_they_keep(
    invoices: InvoicesBench,
) -> None:
    await invoices.start()
    found = await invoices.connector().execute("billing.list_invoices", {}, new_key())
    assert found.result == {
        "items": [{"id": "inv-1", "state": "open"}, {"id": "inv-2", "state": "paid"}]
    }
    paid = {"state": ["paid"]}
    found = await invoices.connector().execute("billing.list_invoices", paid, new_key())
    assert [one["id"] for one in found.result["items"]] == ["inv-2"]


@pytest.mark.parametrize("id_", ["a/b", "a?b=c#d", "%2e%2e", "{id}", "ä b", "a\\..\\b", "a\r\nb"])
async def test_an_argument_of_the_path_stays_one_segment_of_it(id_: str) -> None:
    async with canned(lambda _: answer("200 OK", b"{}")) as (port, heads):
        settings = described(f"http://127.0.0.1:{port}/v2", REMIND)
        connector = RestConnector(calls_of("billing", settings, HERE), settings, "not-a-real-token")
        await connector.execute("billing.send_reminder", {"id": id_}, new_key())
    line = heads[0].partition(b"\r\n")[0].decode()
    assert line == f"POST /v2/invoices/{quote(id_, safe='')}/reminders HTTP/1.1"


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[" * 300 + b"]" * 300, b"<html>", b'{"a":'])
async def test_an_answer_that_is_no_json_or_too_deep_is_an_error_of_a_read(body: bytes) -> None:
    async with canned(lambda _: answer("200 OK", body)) as (port, _):
        settings = described(f"http://127.0.0.1:{port}/v2")
        connector = RestConnector(calls_of("billing", settings, HERE), settings, "not-a-real-token")
        with pytest.raises(Garbled):
            await connector.execute("billing.get_invoice", {"id": "inv-1"}, new_key())
        found = await connector.reconcile(InvoicesBench.tool, InvoicesBench.arguments, new_key())
    assert found.finding is Finding.UNKNOWN


@pytest.mark.parametrize("id_", ["", ".", ".."])
async def test_an_argument_that_would_climb_is_refused(invoices: InvoicesBench, id_: str) -> None:
    await invoices.start()
    connector = invoices.connector(operations=REMIND)
    with pytest.raises(BadArguments):
        await connector.execute("billing.send_reminder", {"id": id_}, new_key())
    assert invoices.entries() == []


async def test_an_effect_that_nothing_confirms_is_unknown(invoices: InvoicesBench) -> None:
    await invoices.start()
    connector, key = invoices.connector(operations=REMIND), new_key()
    outcome = await connector.execute("billing.send_reminder", {"id": "inv-1"}, key)
    assert outcome.status is ActionOutcome.UNKNOWN
    assert len(invoices.entries()) == 1
    found = await connector.reconcile("billing.send_reminder", {"id": "inv-1"}, key)
    assert found.finding is Finding.UNKNOWN


async def test_a_services_own_yes_counts_only_where_the_settings_say_so(
    invoices: InvoicesBench,
) -> None:
    await invoices.start()
    operations = {"sendReminder": {"confirm": "answer", "key": "header:Idempotency-Key"}}
    connector, key = invoices.connector(operations=operations), new_key()
    outcome = await connector.execute("billing.send_reminder", {"id": "inv-1"}, key)
    assert outcome.status is ActionOutcome.CONFIRMED
    assert outcome.result == {"sent": True}
    assert invoices.asked(key) == 1
    found = await connector.reconcile("billing.send_reminder", {"id": "inv-1"}, key)
    assert found.finding is Finding.UNKNOWN


async def test_a_state_that_is_read_back_without_a_key_is_done_or_unknown_but_never_not_done(
    invoices: InvoicesBench,
) -> None:
    await invoices.start()
    connector, key = invoices.connector(operations=REPLACE), new_key()
    asked = {"id": "inv-1", "state": "paid"}
    before = await connector.reconcile("billing.replace_state", asked, key)
    assert before.finding is Finding.UNKNOWN
    outcome = await connector.execute("billing.replace_state", asked, key)
    assert outcome.status is ActionOutcome.CONFIRMED
    after = await connector.reconcile("billing.replace_state", asked, key)
    assert after.finding is Finding.DONE
    missing = await connector.reconcile("billing.replace_state", {**asked, "id": "none"}, key)
    assert missing.finding is Finding.UNKNOWN


async def test_a_list_that_ignores_its_filter_is_not_taken_for_an_answer(
    invoices: InvoicesBench,
) -> None:
    await invoices.start("--deaf")
    found = await invoices.connector().reconcile(invoices.tool, invoices.arguments, new_key())
    assert found.finding is Finding.UNKNOWN
    assert "another record" in found.detail


async def test_a_record_changed_since_is_not_confirmed_as_it_was_asked(
    invoices: InvoicesBench,
) -> None:
    await invoices.start()
    key = new_key()
    await invoices.connector().execute(invoices.tool, invoices.arguments, key)
    other = {**invoices.arguments, "amount": 251}
    found = await invoices.connector().reconcile(invoices.tool, other, key)
    assert found.finding is Finding.DONE
    assert found.outcome is not None
    assert found.outcome.status is ActionOutcome.UNKNOWN


async def test_a_conflict_with_another_record_is_a_refusal(invoices: InvoicesBench) -> None:
    await invoices.start()
    operations = {
        "createInvoice": {
            **invoices.operations["createInvoice"],
            "key": "argument:customer",
            "fixed": {"reference": "r-1"},
            "read": {
                "operation": "listInvoices",
                "arguments": {"reference": "$key"},
                "found": "/items/0",
                "holds": {"/reference": "$key"},
            },
        }
    }
    connector = invoices.connector(operations=operations)
    with pytest.raises(TargetRefused):
        await connector.execute("billing.create_invoice", {"amount": 1}, new_key())


@pytest.mark.parametrize(
    ("operations", "named"),
    [
        ({"noSuch": {}}, "noSuch"),
        ({"getInvoice": {"objects": ["ident"]}}, "objects"),
        ({"getInvoice": {"omit": ["id"]}}, "required"),
        ({"getInvoice": {"confirm": "answer"}}, "a read"),
        ({"createInvoice": {"key": "argument:nothing"}}, "key"),
        ({"createInvoice": {"fixed": {"nothing": 1}}}, "fixed"),
        (
            {
                "sendReminder": {
                    "read": {
                        "operation": "listInvoices",
                        "arguments": {"reference": "$key"},
                        "holds": {"/amount": "1"},
                    }
                }
            },
            "does not compare the key",
        ),
        (
            {
                "sendReminder": {
                    "read": {"operation": "createInvoice", "arguments": {}, "holds": {"/id": "x"}}
                }
            },
            "is no GET",
        ),
        (
            {
                "sendReminder": {
                    "read": {"operation": "getInvoice", "arguments": {}, "holds": {"/id": "x"}}
                }
            },
            "required",
        ),
    ],
)
async def test_settings_that_do_not_fit_the_description_are_an_error_that_says_where(
    operations: dict[str, Any], named: str
) -> None:
    with pytest.raises(BadConnector, match=named):
        calls_of("billing", described("https://billing.example", operations), HERE)


async def test_a_description_that_changed_is_not_read(tmp_path: Path) -> None:
    settings = described("https://billing.example")
    changed = (HERE / "invoices.yaml").read_text().replace("Create an invoice", "Do as told")
    (tmp_path / "invoices.yaml").write_text(changed)
    with pytest.raises(BadConnector, match=r"another than the settings pin.*sha256"):
        calls_of("billing", settings, tmp_path)
    with pytest.raises(BadConnector, match="cannot be read"):
        calls_of("billing", settings, tmp_path / "nowhere")


async def test_the_servers_of_a_description_are_not_believed(invoices: InvoicesBench) -> None:
    assert "elsewhere.example" in (HERE / "invoices.yaml").read_text()
    await invoices.start()
    found = await invoices.connector().execute("billing.get_invoice", {"id": "inv-1"}, new_key())
    assert found.result["customer"] == "Boeing"


async def test_an_api_without_credential_is_sent_none(invoices: InvoicesBench) -> None:
    await invoices.start()
    open_api = msgspec.structs.replace(invoices.settings(), header="")
    connector = RestConnector(calls_of("billing", open_api, HERE), open_api, "a-secret-of-another")
    with pytest.raises(Denied, match="401"):
        await connector.execute("billing.get_invoice", {"id": "inv-1"}, new_key())


def test_the_credential_is_not_configured_to_travel_in_the_clear() -> None:
    with pytest.raises(BadConnector, match="in the clear"):
        RestConnector(
            calls_of("billing", described("http://billing.example"), HERE),
            described("http://billing.example"),
            "not-a-real-token",
        )


def test_the_description_is_read_as_json_too(tmp_path: Path) -> None:
    minimal = {"openapi": "3.0.3", "paths": {"/x": {"get": {"operationId": "getX"}}}}
    data = json.dumps(minimal).encode()
    (tmp_path / "invoices.yaml").write_bytes(data)
    settings = msgspec.structs.replace(
        described("https://x.example", {"getX": {}}), sha256=hashlib.sha256(data).hexdigest()
    )
    (call,) = calls_of("x", settings, tmp_path)
    assert call.tool.name == "x.get_x"
