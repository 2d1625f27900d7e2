"""Opened content: bound to the event that sealed it, and nothing else of the run opened by it."""

from pathlib import Path

import msgspec
import pytest

from crypto.errors import SealError
from crypto.sealing import NoKeys, open_event, open_field
from ledger.disclosure import (
    FILE,
    DisclosedKeys,
    OpenedField,
    disclosed,
    disclosure_problem,
    read_disclosure,
    written,
)
from ledger.errors import ExportDamaged
from schemas.content import plain, value_of
from schemas.erasure import ContentErased
from tests.scenery import ARGUMENTS
from tests.stories import RunStory, Said, Story


def told() -> tuple[Story, RunStory, Said]:
    story = Story()
    story.found()
    run = story.begin("r-1")
    return story, run, run.propose()


STORY, RUN, PROPOSED = told()
EVENT = PROPOSED.event
PROPOSAL = EVENT.body
FIELDS = tuple(disclosed(PROPOSED.index, EVENT, STORY.keys))


def test_every_sealed_field_is_opened_and_is_what_was_sealed() -> None:
    assert [one.field for one in FIELDS] == ["arguments", "purpose"]
    assert msgspec.json.decode(FIELDS[0].data) == ARGUMENTS
    assert all(disclosure_problem(one, PROPOSED.index, EVENT) == "" for one in FIELDS)


def test_a_line_comes_back_byte_for_byte() -> None:
    for one in FIELDS:
        assert msgspec.json.decode(written(one), type=OpenedField) == one
        assert written(one).count(b"\n") == 1


@pytest.mark.parametrize(
    "data", [b'{\n"a":1}', b"\xff\xfe", b"", b" 1", b"no json", b"1.0", b'{"a":1,"a":2}', b"[" * 9]
)
def test_content_of_any_form_comes_back_byte_for_byte(data: bytes) -> None:
    """A hostile runtime seals what it likes."""
    body = msgspec.structs.replace(plain(None), data=data)
    said = RUN.say(RUN.runtime, msgspec.structs.replace(PROPOSAL, arguments=body))
    one = next(disclosed(said.index, said.event, STORY.keys))
    again = msgspec.json.decode(written(one), type=OpenedField)
    assert again.data == data
    assert disclosure_problem(again, said.index, said.event) == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": msgspec.Raw(b'{"record":"deal-2"}')}, "another content"),
        ({"key": bytes(32)}, "does not open"),
        ({"key": FIELDS[1].key}, "does not open"),
        ({"field": "purpose"}, "does not open"),
        ({"field": "number"}, "no sealed field"),
        ({"field": "nothing"}, "no sealed field"),
        ({"index": 3}, "another event"),
        ({"run": "r-2"}, "another event"),
    ],
)
def test_a_line_with_anything_changed_is_named(change: dict[str, object], said: str) -> None:
    one = msgspec.structs.replace(FIELDS[0], **change)
    assert said in disclosure_problem(one, PROPOSED.index, EVENT)


def test_a_fields_key_opens_no_other_field_or_event() -> None:
    other = RUN.propose().event
    for event, field in ((EVENT, "purpose"), (other, "arguments")):
        with pytest.raises(SealError):
            open_field(event, field, FIELDS[0].key)


def test_disclosed_keys_open_what_was_disclosed_and_no_more() -> None:
    keys = DisclosedKeys(iter(FIELDS[:1]))
    body = open_event(EVENT, keys).body
    assert value_of(body.arguments) == ARGUMENTS  # type: ignore[union-attr]
    with pytest.raises(TypeError):
        value_of(body.purpose)  # type: ignore[union-attr]
    assert keys and not DisclosedKeys(iter(()))


def test_nothing_is_disclosed_without_keys_or_after_erasure() -> None:
    assert list(disclosed(PROPOSED.index, EVENT, NoKeys())) == []
    story, _, proposed = told()
    erased = ContentErased(fields=(FIELDS[0].name,), reason="asked for")
    said = story.say("ada", erased)
    story.keys.learn(said.event)
    left = [one.field for one in disclosed(proposed.index, proposed.event, story.keys)]
    assert left == ["purpose"]


def test_a_file_that_is_out_of_form_is_named_by_its_line(tmp_path: Path) -> None:
    assert list(read_disclosure(tmp_path)) == []
    (tmp_path / FILE).write_bytes(written(FIELDS[0]) + b"{}\n")
    with pytest.raises(ExportDamaged, match="line 2"):
        list(read_disclosure(tmp_path))
