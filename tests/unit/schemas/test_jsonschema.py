"""The JSON Schemas say what the Structs say, of real events that went through encoding."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.__main__ import main
from schemas.events import decode_event, encode_event
from schemas.jsonschema import BASE, DIALECT, INDEX, body_types, documents, json_form, schema_of
from tests.unit.schemas.arbitrary import events

VALIDATORS = {
    event_type: jsonschema_rs.Draft202012Validator(schema_of(event_type))
    for event_type in body_types()
}


def one_event(event_type: str, data: st.DataObject) -> Any:
    """An event of that type as a reader has it: encoded, decoded, and turned into JSON."""
    event = decode_event(encode_event(data.draw(events(event_type))))
    return json.loads(json.dumps(json_form(event)))


def complaints(event_type: str, event: object) -> list[tuple[list[str | int], str]]:
    return [(e.instance_path, e.message) for e in VALIDATORS[event_type].iter_errors(event)]


@pytest.mark.parametrize("event_type", body_types())
def test_a_schema_is_valid_under_its_own_dialect_and_stands_alone(event_type: str) -> None:
    schema = schema_of(event_type)
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == DIALECT
    assert schema["$id"] == f"{BASE}/{event_type}.json"
    referred = set(json.dumps(schema).split('"$ref": "#/$defs/')[1:])
    assert {text.split('"')[0] for text in referred} == schema["$defs"].keys()


@pytest.mark.parametrize("event_type", body_types())
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_real_event_of_every_type_fits_its_schema(event_type: str, data: st.DataObject) -> None:
    assert complaints(event_type, one_event(event_type, data)) == []


@pytest.mark.parametrize("event_type", body_types())
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_an_event_with_one_wrong_field_is_refused_by_that_fields_name(
    event_type: str, data: st.DataObject
) -> None:
    good = one_event(event_type, data)
    places: list[list[str]] = [[name] for name in good if name != "body"]
    places += [["body", name] for name in good["body"]]
    for place in places:
        broken = copy.deepcopy(good)
        holder = broken["body"] if len(place) == 2 else broken
        holder[place[-1]] = {"no": "field is like this"}
        found = complaints(event_type, broken)
        assert found
        assert all(path[: len(place)] == place for path, _ in found)


@pytest.mark.parametrize("event_type", body_types())
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_an_unknown_field_is_refused_and_named(event_type: str, data: st.DataObject) -> None:
    event = one_event(event_type, data)
    event["body"]["sudo"] = True
    assert any("sudo" in message for _, message in complaints(event_type, event))


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_an_action_claimed_by_another_role_than_the_sidecar_does_not_fit(
    data: st.DataObject,
) -> None:
    event = one_event("action.started", data)
    event["actor"]["role"] = "runtime"
    assert [path for path, _ in complaints("action.started", event)] == [["actor", "role"]]


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_an_event_fits_the_schema_of_its_own_type_only(data: st.DataObject) -> None:
    event = one_event("rep.activated", data)
    assert [t for t in body_types() if not complaints(t, event)] == ["rep.activated"]


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_another_process_generates_the_same_bytes(tmp_path: Path, hash_seed: str) -> None:
    command = [sys.executable, "-m", "schemas", "--out", str(tmp_path)]
    subprocess.run(command, env=os.environ | {"PYTHONHASHSEED": hash_seed}, check=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == documents()


def test_the_index_lists_every_schema_with_its_topic_and_signers() -> None:
    files = documents()
    listed = json.loads(files.pop(INDEX))["events"]
    assert [entry["type"] for entry in listed] == list(body_types())
    assert [json.loads(content)["$id"] for content in files.values()] == [
        entry["schema"] for entry in listed
    ]
    assert all(entry["topic"] and entry["signers"] for entry in listed)


def test_the_command_writes_what_its_check_then_accepts(tmp_path: Path) -> None:
    assert main(["--out", str(tmp_path / "json")]) == 0
    assert {path.name for path in (tmp_path / "json").iterdir()} == documents().keys()
    assert main(["--check", "--out", str(tmp_path / "json")]) == 0


def test_the_check_names_files_that_are_missing_changed_or_of_no_event_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--out", str(tmp_path)])
    (tmp_path / "rep.revoked.json").unlink()
    (tmp_path / "rep.activated.json").write_bytes(b"{}\n")
    (tmp_path / "rep.promoted.json").write_text(f'{{"$id": "{BASE}/rep.promoted.json"}}')
    capsys.readouterr()
    assert main(["--check", "--out", str(tmp_path)]) == 1
    named = {Path(line.split(": ")[0]).name for line in capsys.readouterr().out.splitlines()}
    assert named == {"rep.revoked.json", "rep.activated.json", "rep.promoted.json"}


def test_writing_clears_away_its_own_old_files_and_nobody_elses(tmp_path: Path) -> None:
    (tmp_path / "rep.promoted.json").write_text(f'{{"$id": "{BASE}/rep.promoted.json"}}')
    (tmp_path / "package.json").write_text("{}")
    main(["--out", str(tmp_path)])
    assert (tmp_path / "package.json").exists()
    assert not (tmp_path / "rep.promoted.json").exists()
