"""Renderings: each event of each type as the formats' own projects read it, and nothing opened."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from crypto.sealing import content_fields
from crypto.trust import Trust
from ledger.renderings.cloudevents import cloud_event
from ledger.renderings.line import Invalid, Line, line_of, plain_body, timestamp
from ledger.renderings.ocsf import VERSION, ocsf_event
from ledger.renderings.table import COLUMNS, row
from ledger.renderings.writing import FILES, FOLDER, Rendering, Renderings, rendered
from schemas.content import Sealed
from schemas.events import Event
from schemas.jsonschema import body_types
from tests.ledgers import small_ledger
from tests.unit.schemas.arbitrary import any_event, events

OCSF = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=VERSION))
LEDGER = small_ledger()
INVALID = Invalid(index=3, subject="ws.acme.admin.key", leaf="ab" * 32, reason="=HYPERLINK()")


def lines() -> list[Line]:
    trust = Trust(LEDGER.workspace, LEDGER.root_public)
    return [
        line_of(e.index, e.subject, e.body, trust.accept(e.subject, e.body)) for e in LEDGER.entries
    ]


def lined(event: Event) -> Line:
    return Line(
        index=1, subject="s", leaf="00" * 32, digest="11" * 32, event=event, body=plain_body(event)
    )


@cache
def ocsf_schema(class_uid: int, profiles: tuple[str, ...]) -> Any:
    """The class's own JSON Schema, made from the released OCSF schema."""
    name = OCSF.lookup_class_name_from_uid(class_uid)
    return jsonschema_rs.validator_for(OCSF.get_class_schema(name, list(profiles)))


def ocsf_problems(event: dict[str, Any]) -> list[str]:
    known = ocsf_schema(event["class_uid"], tuple(event["metadata"].get("profiles", ())))
    return [problem.message for problem in known.iter_errors(event)]


@pytest.mark.parametrize("event_type", body_types())
def test_every_type_of_event_is_valid_ocsf(event_type: str) -> None:
    @given(events(event_type))
    @settings(max_examples=5)
    def check(event: Event) -> None:
        said = json.loads(rendered(Rendering.OCSF, lined(event), event.workspace))
        assert ocsf_problems(said) == []
        assert said["type_uid"] == said["class_uid"] * 100 + said["activity_id"]
        assert said["unmapped"]["body"] == {
            key: value for key, value in plain_body(event).items() if key != "type"
        }

    check()


def test_an_invalid_entry_is_valid_ocsf() -> None:
    assert ocsf_problems(ocsf_event(INVALID, "acme")) == []


def test_the_schema_itself_can_say_no() -> None:
    made = ocsf_event(lines()[0], "acme")
    del made["metadata"]["product"]
    assert ocsf_problems(made)


@given(any_event())
def test_every_event_is_a_cloudevent_to_its_own_sdk(event: Event) -> None:
    said = rendered(Rendering.CLOUDEVENTS, lined(event), event.workspace)
    read = JSONFormat().read(CloudEvent, said)
    assert (read.get_id(), read.get_source()) == (
        event.id,
        f"urn:anyteam:workspace:{event.workspace}",
    )
    assert read.get_type() == f"anyteam.ledger.{event.type}"
    epoch = datetime.fromtimestamp(0, UTC)
    assert read.get_time() == epoch + timedelta(microseconds=event.at // 1_000)


def test_an_invalid_entry_is_a_cloudevent_too() -> None:
    read = JSONFormat().read(CloudEvent, json.dumps(cloud_event(INVALID, "acme")))
    assert read.get_id() == INVALID.leaf


@given(any_event(), st.sampled_from(Rendering))
def test_a_rendering_is_one_line_and_opens_nothing(event: Event, kind: Rendering) -> None:
    said = rendered(kind, lined(event), event.workspace)
    if kind is not Rendering.CSV:
        assert said.count(b"\n") == 1
    sealed = {
        field: content
        for field in content_fields(type(event.body))
        if isinstance(content := getattr(event.body, field), Sealed)
    }
    others = {
        field: msgspec.structs.replace(
            content, ciphertext=bytes(byte ^ 255 for byte in content.ciphertext)
        )
        for field, content in sealed.items()
    }
    # Whatever is sealed, of the same length, it makes no difference.
    body = msgspec.structs.replace(event.body, **others)
    other = msgspec.structs.replace(event, body=body)
    assert rendered(kind, lined(other), event.workspace) == said


def test_sealed_content_is_its_size_and_nothing_else() -> None:
    proposal = next(line for line in lines() if line.event.type == "proposal.made")
    assert set(proposal.body["arguments"]) == {"sealed_bytes"}


def test_a_receipt_is_unpacked() -> None:
    receipt = next(line for line in lines() if line.event.type == "receipt.issued")
    assert receipt.body["receipt"]["rep"] == "ann"
    assert row(receipt)[COLUMNS.index("result")] == "confirmed"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_is_a_formula(text: str) -> None:
    cells = row(msgspec.structs.replace(INVALID, reason=text))
    assert cells[COLUMNS.index("reason")] == f"'{text}"


@given(any_event())
def test_a_row_is_read_back_as_it_was_written(event: Event) -> None:
    line = lined(event)
    said = rendered(Rendering.CSV, line, event.workspace).decode()
    assert list(csv.reader(io.StringIO(said, newline=""))) == [row(line)]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row(line))


def test_times_keep_their_nanoseconds() -> None:
    assert timestamp(1_780_000_000_000_000_001) == "2026-05-28T20:26:40.000000001Z"
    assert timestamp(2**63 - 1).startswith("2262-04-11T")


def test_each_kind_is_one_file_with_a_line_for_each_entry(tmp_path: Path) -> None:
    with Renderings(tmp_path, tuple(Rendering), "acme") as renderings:
        for line in lines():
            renderings.add(line)
        renderings.add(INVALID)
    for kind, name in FILES.items():
        written = (tmp_path / FOLDER / name).read_bytes().splitlines()
        assert len(written) == len(LEDGER.entries) + 1 + (kind is Rendering.CSV)


def test_no_kind_is_no_folder(tmp_path: Path) -> None:
    with Renderings(tmp_path, (), "acme") as renderings:
        renderings.add(INVALID)
    assert list(tmp_path.iterdir()) == []
