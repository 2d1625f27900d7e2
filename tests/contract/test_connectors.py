"""What every connector owes: one effect per key, confirmed at the target, and honest doubt.

Effects are counted in the far side's own record, never by the connector's word.
"""

import asyncio
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from schemas.actions import ActionOutcome
from schemas.connectors import (
    CalendarSettings,
    ConnectorSettings,
    CrmSettings,
    FilesSettings,
    HubSpotSettings,
    ImapSettings,
    MailSettings,
    SmtpSettings,
    WebSettings,
)
from schemas.tools import Effect, Tool
from sidecar.connectors.connector import (
    MAX_RESULT_BYTES,
    Connector,
    Finding,
    registry,
)
from sidecar.connectors.crm import CrmConnector
from sidecar.connectors.files import FilesConnector
from sidecar.connectors.mail import MailConnector
from sidecar.connectors.opening import Surroundings, declared_tools, open_connectors
from sidecar.destinations.resolver import Resolver
from sidecar.errors import (
    BadArguments,
    BadConnector,
    ConnectorError,
    Denied,
    TargetRefused,
    Unreachable,
)
from sidecar.vault import Credentials
from tests.contract.conftest import Remote
from tests.contract.services import HERE, Bench, CrmBench, described, new_key

pytestmark = pytest.mark.asyncio

SETTINGS = ConnectorSettings(
    files=FilesSettings(root="files"),
    mail=MailSettings(
        sender="ann@acme.example",
        smtp=SmtpSettings(host="mail.example", port=465),
        imap=ImapSettings(host="mail.example", port=993),
    ),
    calendar=CalendarSettings(
        url="https://cal.example/ann/work/", user="ann", organizer="ann@acme.example"
    ),
    crm=CrmSettings(url="https://crm.example"),
    hubspot=HubSpotSettings(),
    web=WebSettings(hosts=("docs.example.com",)),
    http={"billing": described("https://billing.example")},
)
TOOLS = declared_tools(SETTINGS, HERE)


async def test_an_effect_is_confirmed_with_what_the_target_reads(bench: Bench) -> None:
    key = new_key()
    outcome = await bench.connector().execute(bench.tool, bench.arguments, key)
    assert outcome.status is ActionOutcome.CONFIRMED
    assert outcome.evidence
    assert len(bench.effects(key)) == 1


async def test_executing_twice_with_one_key_has_one_effect(bench: Bench) -> None:
    key = new_key()
    await bench.connector().execute(bench.tool, bench.arguments, key)
    first = bench.effects(key)
    again = await bench.connector().execute(bench.tool, bench.arguments, key)
    assert again.status is ActionOutcome.CONFIRMED
    assert bench.effects(key) == first
    assert len(first) == 1


async def test_reconcile_says_not_done_before_and_done_after(bench: Bench) -> None:
    key = new_key()
    before = await bench.connector().reconcile(bench.tool, bench.arguments, key)
    assert before.finding is Finding.NOT_DONE
    assert bench.effects(key) == []
    done = await bench.connector().execute(bench.tool, bench.arguments, key)
    after = await bench.connector().reconcile(bench.tool, bench.arguments, key)
    assert after.finding is Finding.DONE
    assert after.outcome is not None
    assert after.outcome.status is ActionOutcome.CONFIRMED
    assert after.outcome.evidence == done.evidence
    assert len(bench.effects(key)) == 1


async def test_a_read_answers_within_bounds_and_reconciles_as_not_done(bench: Bench) -> None:
    connector = bench.connector()
    reads = [tool.name for tool in connector.tools if tool.effect is Effect.READ]
    assert sorted(reads) == sorted(bench.reads)
    for tool, arguments in bench.reads.items():
        outcome = await connector.execute(tool, arguments, new_key())
        assert outcome.status is ActionOutcome.CONFIRMED
        assert outcome.evidence
        assert outcome.result
        assert len(msgspec.json.encode(outcome.result)) <= MAX_RESULT_BYTES
        found = await connector.reconcile(tool, arguments, new_key())
        assert found.finding is Finding.NOT_DONE


async def test_a_far_side_that_is_down_is_unreachable(bench: Bench) -> None:
    connector = bench.connector()
    await bench.down()
    with pytest.raises(Unreachable) as raised:
        await connector.execute(bench.tool, bench.arguments, new_key())
    assert raised.value.before_effect


async def test_what_cannot_be_asked_reconciles_as_unknown(bench: Bench) -> None:
    key = new_key()
    await bench.connector().execute(bench.tool, bench.arguments, key)
    bench.blind()
    found = await bench.connector().reconcile(bench.tool, bench.arguments, key)
    assert found.finding is Finding.UNKNOWN
    assert found.detail


async def test_arguments_out_of_the_schema_are_refused_without_quoting_them(bench: Bench) -> None:
    connector, key = bench.connector(), new_key()
    secret = "quoted-nowhere\ud800"
    for wrong in ({}, {**bench.arguments, "more": secret}, dict.fromkeys(bench.arguments, secret)):
        for doing in (connector.execute, connector.reconcile):
            with pytest.raises(BadArguments) as raised:
                await doing(bench.tool, wrong, key)
            assert "quoted" not in str(raised.value)
    with pytest.raises(BadArguments):
        await connector.execute(bench.tool, bench.arguments, "../../etc/passwd")
    with pytest.raises(BadArguments):
        await connector.execute("no.such.tool", bench.arguments, key)
    assert bench.effects(key) == []


async def test_a_target_that_accepts_and_keeps_nothing_is_never_confirmed(
    remote: Remote,
) -> None:
    await remote.start(*remote.drops)
    key = new_key()
    outcome = await remote.connector().execute(remote.tool, remote.arguments, key)
    assert outcome.status is remote.lie
    assert remote.asked(key) == 1
    found = await remote.connector().reconcile(remote.tool, remote.arguments, key)
    assert found.finding is remote.after_lie


@pytest.mark.parametrize("credential", ["another-secret", "broken\r\nsecret", "gehe\u00efm"])
async def test_a_refused_credential_is_denied_and_has_no_effect(
    remote: Remote, credential: str
) -> None:
    await remote.start()
    remote.credential = credential
    key = new_key()
    with pytest.raises(Denied) as raised:
        await remote.connector().execute(remote.tool, remote.arguments, key)
    assert credential not in str(raised.value)
    assert remote.asked(key) == 0


async def test_a_missing_credential_is_denied_and_has_no_effect(
    remote: Remote,
) -> None:
    await remote.start()
    remote.credential = ""
    key = new_key()
    with pytest.raises(Denied):
        await remote.connector().execute(remote.tool, remote.arguments, key)
    assert remote.asked(key) == 0


@pytest.mark.parametrize("kept", [True, False])
async def test_a_far_side_killed_before_it_answers_is_unknown_and_reconciling_tells_the_truth(
    remote: Remote, kept: bool
) -> None:
    await remote.start("--hold-answers", *([] if kept else ["--drop-writes"]))
    assert remote.service is not None
    key = new_key()
    doing = asyncio.ensure_future(remote.connector().execute(remote.tool, remote.arguments, key))
    await remote.service.says("held")
    await remote.down()
    outcome = await doing
    assert outcome.status is ActionOutcome.UNKNOWN
    assert remote.asked(key) == 1

    await remote.start()
    found = await remote.connector().reconcile(remote.tool, remote.arguments, key)
    assert found.finding is (remote.kept if kept else remote.unkept)
    if found.outcome is not None:
        assert found.outcome.status is ActionOutcome.CONFIRMED
    again = await remote.connector().execute(remote.tool, remote.arguments, key)
    if found.finding is Finding.UNKNOWN:
        assert again.status is ActionOutcome.UNKNOWN
        assert remote.asked(key) == 1
    else:
        assert again.status is ActionOutcome.CONFIRMED
        assert len(remote.effects(key)) == 1


async def test_silence_is_unknown_and_nothing_is_sent_again(remote: Remote) -> None:
    await remote.start("--hold-answers")
    key = new_key()
    outcome = await remote.connector(timeout_s=1.0).execute(remote.tool, remote.arguments, key)
    assert outcome.status is ActionOutcome.UNKNOWN
    assert remote.asked(key) == 1


async def test_a_key_that_stands_for_another_update_is_refused_by_the_crm(crm: CrmBench) -> None:
    key, other = new_key(), {"id": "deal-2", "fields": {"stage": "closed_won"}}
    await crm.connector().execute(crm.tool, crm.arguments, key)
    with pytest.raises(TargetRefused):
        await crm.connector().execute(crm.tool, other, key)
    found = await crm.connector().reconcile(crm.tool, other, key)
    assert found.finding is Finding.UNKNOWN


async def test_a_deal_changed_since_is_not_confirmed_as_it_was_asked(crm: CrmBench) -> None:
    key, later = new_key(), {"id": "deal-1", "fields": {"stage": "closed_lost"}}
    await crm.connector().execute(crm.tool, crm.arguments, key)
    await crm.connector().execute(crm.tool, later, new_key())
    found = await crm.connector().reconcile(crm.tool, crm.arguments, key)
    assert found.finding is Finding.DONE
    assert found.outcome is not None
    assert found.outcome.status is ActionOutcome.UNKNOWN


async def test_reads_of_the_crm_hold_no_free_text_where_they_are_trusted(crm: CrmBench) -> None:
    planted = {"id": "deal-1", "fields": {"next_step": "PLANTED", "note": "PLANTED"}}
    connector = crm.connector()
    await connector.execute(crm.tool, planted, new_key())
    seen = {
        tool.name: str((await connector.execute(tool.name, arguments, new_key())).result)
        for tool in connector.tools
        if (arguments := crm.reads.get(tool.name)) is not None
    }
    assert "Fleet telemetry pilot" in seen["crm.list_deals"]
    assert "PLANTED" in seen.pop("crm.export_pipeline")
    assert not [name for name, result in seen.items() if "PLANTED" in result]


async def test_a_deal_that_is_not_there_is_a_failure_and_not_a_doubt(crm: CrmBench) -> None:
    key = new_key()
    with pytest.raises(ConnectorError) as raised:
        await crm.connector().execute(crm.tool, {**crm.arguments, "id": "deal-99"}, key)
    assert raised.value.before_effect
    assert crm.effects(key) == []


def _objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """Every schema within a schema."""
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    inner += [schema["items"]] if "items" in schema else []
    return [schema, *(found for part in inner for found in _objects(part))]


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
async def test_a_declaration_bounds_each_argument_and_admits_no_other(tool: Tool) -> None:
    jsonschema_rs.Draft202012Validator(tool.arguments)
    for schema in _objects(tool.arguments):
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False
        if schema.get("type") == "string":
            assert schema["maxLength"] <= 32_768
        if schema.get("type") == "array":
            assert schema["maxItems"] <= 20
        if schema.get("type") == "integer":
            assert {"minimum", "maximum"} <= schema.keys()
    named = (*tool.destinations, *tool.amounts, *tool.paths, *tool.objects, *tool.contents)
    assert {name.partition(".")[0] for name in named} <= tool.arguments["properties"].keys()
    assert tool.effect is Effect.READ or tool.confirm


async def test_the_benches_arguments_fit_the_declared_schemas(bench: Bench) -> None:
    tools = {tool.name: tool for tool in bench.connector().tools}
    for name, arguments in {bench.tool: bench.arguments, **bench.reads}.items():
        validator = jsonschema_rs.Draft202012Validator(tools[name].arguments)
        assert validator.is_valid(arguments)
        assert not validator.is_valid({**arguments, "more": 1})


async def test_settings_open_exactly_the_tools_they_declare() -> None:
    credentials = Credentials({"crm": "not-a-real-token"})
    around = Surroundings(credentials, Resolver(["192.0.2.53"]))
    by_tool = open_connectors(SETTINGS, HERE, around)
    assert sorted(by_tool) == sorted(tool.name for tool in TOOLS)
    assert declared_tools(ConnectorSettings()) == ()


async def test_a_setting_that_names_no_host_is_found_before_anything_starts() -> None:
    with pytest.raises(BadConnector, match=r"connectors\.web\.hosts\[0\]"):
        declared_tools(ConnectorSettings(web=WebSettings(hosts=("10.0.0.1",))))


async def test_two_connectors_cannot_serve_one_tool(tmp_path: Path) -> None:
    twice: list[Connector] = [FilesConnector(tmp_path), FilesConnector(tmp_path / "other")]
    with pytest.raises(BadConnector, match=r"files\.list"):
        registry(twice)


async def test_a_credential_is_not_configured_to_travel_in_the_clear(tmp_path: Path) -> None:
    with pytest.raises(BadConnector, match="in the clear"):
        CrmConnector("http://crm.example", "not-a-real-token")
    over = {"smtp": SmtpSettings(port=465), "imap": ImapSettings(port=993)}
    clear = {
        "smtp": SmtpSettings(host="mail.example", port=25, tls="none"),
        "imap": ImapSettings(host="mail.example", port=143, tls="none"),
    }
    for one, setting in clear.items():
        settings = MailSettings(sender="ann@acme.example", **{**over, one: setting})
        with pytest.raises(BadConnector, match="in the clear"):
            MailConnector(settings, "not-a-real-password")
