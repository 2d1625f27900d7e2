"""Values in COPY's text: a reader written from PostgreSQL's documentation gets them back."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.postgres.lines import NULL, copied, line_of, writer_of
from projections.postgres.standing import metadata

EVENTS = [(c.name, writer_of(c)) for c in metadata.tables["events"].columns]
TEXTS = writer_of(metadata.tables["runs"].columns["tools"])
_LETTERS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def fields_of(line: str) -> list[str | None]:
    """COPY's text format, section "Text Format": tabs between fields, one line a row."""
    assert "\n" not in line and "\r" not in line
    fields = line.split("\t")
    return [None if field == NULL else unescaped(field) for field in fields]


def unescaped(field: str) -> str:
    return re.sub(r"\\(.)", lambda found: _LETTERS.get(found[1], found[1]), field, flags=re.S)


def items_of(literal: str) -> list[str]:
    """An array of quoted items (section 8.15.2)."""
    assert literal[0] == "{" and literal[-1] == "}"
    items = re.findall(r'"((?:[^"\\]|\\.)*)"', literal, flags=re.S)
    assert "{" + ",".join(f'"{item}"' for item in items) + "}" == literal
    return [re.sub(r"\\(.)", r"\1", item, flags=re.S) for item in items]


@given(st.text())
def test_any_text_is_one_field_and_comes_back_but_for_the_character_nothing_stores(
    text: str,
) -> None:
    assert fields_of(copied(text)) == [text.replace("\x00", "\u2400")]


@given(st.lists(st.text(), max_size=4))
def test_any_list_of_texts_comes_back(texts: list[str]) -> None:
    [field] = fields_of(TEXTS(texts))
    assert field is not None
    assert items_of(field) == [text.replace("\x00", "\u2400") for text in texts]


_NUMBERS = st.integers(-(2**53), 2**53)


@given(st.recursive(st.none() | _NUMBERS | st.text() | st.just("\\u0000"), st.lists, max_leaves=5))
def test_any_json_comes_back(value: Any) -> None:
    line = line_of([("public", dict(EVENTS)["public"])], {"public": {"a": value}})
    [field] = fields_of(line)
    assert field is not None
    assert msgspec.json.decode(field) == {"a": pictured(value)}


def pictured(value: Any) -> Any:
    if isinstance(value, list):
        return [pictured(inner) for inner in value]
    return value.replace("\x00", "\u2400") if isinstance(value, str) else value


def test_what_is_not_said_and_what_is_none_are_null_and_an_empty_text_is_not() -> None:
    columns = [(name, write) for name, write in EVENTS if name in ("id", "run", "type")]
    line = line_of(columns, {"type": "", "run": None})
    assert dict(zip([name for name, _ in columns], fields_of(line), strict=True)) == {
        "id": None,
        "run": None,
        "type": "",
    }


@pytest.mark.parametrize(
    ("table", "column", "value", "field"),
    [
        ("events", "digest", b"\x00\xff", "\\x00ff"),
        ("events", "causes", [b"\x01", b"\xfe"], '{"\\\\x01","\\\\xfe"}'),
        ("events", "causes", [], "{}"),
        ("events", "at", 2**63 - 1, str(2**63 - 1)),
        ("reps", "active", True, "t"),
        ("reps", "active", False, "f"),
    ],
)
def test_each_kind_of_column_is_written_as_postgresql_reads_it(
    table: str, column: str, value: Any, field: str
) -> None:
    write = writer_of(metadata.tables[table].columns[column])
    assert fields_of(line_of([(column, write)], {column: value})) == [field]
