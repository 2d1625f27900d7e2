"""Reading OpenAPI descriptions: whole or not at all, and bounded."""

from typing import Any

import jsonschema_rs
import pytest

from sidecar.connectors.openapi import Operation, operation_of, parse_description
from sidecar.connectors.openapi_schema import Document, bounded_schema
from sidecar.errors import BadConnector

SCHEMAS: dict[str, Any] = {
    "Base": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
    "More": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"properties": {"b": {}}}]},
    "Either": {
        "oneOf": [{"$ref": "#/components/schemas/Base"}, {"type": "string", "maxLength": 5}]
    },
    "Loop": {"properties": {"again": {"$ref": "#/components/schemas/Loop"}}},
}

AB = {"a": "x", "b": 1}
TEXT = {"type": "string"}


def document(version: str = "3.1.0", **more: Any) -> Document:
    """A description with these schemas."""
    content = {"openapi": version, "components": {"schemas": SCHEMAS}, **more}
    return Document(content, version.startswith("3.0"))


def accepts(node: dict[str, Any], value: object, version: str = "3.1.0") -> bool:
    """Whether the bounded schema takes a value."""
    schema = bounded_schema(document(version), node, "here")
    return bool(jsonschema_rs.Draft202012Validator(schema).is_valid(value))


def ref(name: str) -> dict[str, Any]:
    """A reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("node", "good", "bad"),
    [
        (ref("Base"), {"a": "x"}, {"a": "x", "z": 1}),
        (ref("More"), {"a": "x", "b": 1}, {"a": "x", "z": 1}),
        (ref("More"), {"a": "x"}, {"b": 1}),
        (ref("Either"), "abc", "abcdef"),
        (ref("Either"), {"a": "x"}, {"a": "x", "z": 1}),
        (
            {**ref("Base"), "required": ["b"], "properties": {"b": {}}},
            {"a": "x", "b": 1},
            {"a": "x"},
        ),
        ({}, "text", {"an": "object"}),
        ({}, 5, ["a"]),
        ({"type": "string"}, "x" * 2_000, "x" * 2_001),
        ({"type": "array", "items": {"type": "integer"}}, [1] * 20, [1] * 21),
        ({"type": "integer"}, 2**53 - 1, 2**53),
        ({"type": "object"}, {}, {"a": 1}),
        (
            {"type": "object", "additionalProperties": {"type": "integer"}},
            {"a": 1},
            {f"n{n}": 1 for n in range(21)},
        ),
        ({"type": ["string", "null"]}, None, 5),
        ({"properties": {"a": {"type": "integer", "readOnly": True}}}, {}, {"a": 1}),
    ],
)
def test_a_schema_takes_what_it_says_and_nothing_beside(
    node: dict[str, Any], good: object, bad: object
) -> None:
    assert accepts(node, good)
    assert not accepts(node, bad)


def test_the_ways_of_openapi_3_0_are_understood() -> None:
    nullable = {"type": "string", "nullable": True, "enum": ["a"]}
    assert accepts(nullable, None, "3.0.3")
    assert not accepts(nullable, "b", "3.0.3")
    strict = {"type": "integer", "minimum": 1, "exclusiveMinimum": True}
    assert not accepts(strict, 1, "3.0.3")
    assert accepts(strict, 2, "3.0.3")


@pytest.mark.parametrize(
    ("node", "named"),
    [
        (ref("Loop"), "refers to itself"),
        (ref("None"), "has no"),
        ({"$ref": "other.yaml#/x"}, "outside itself"),
        ({"$ref": "https://schemas.example/x"}, "outside itself"),
        ({"$ref": 5}, "outside itself"),
        ({"type": "object", "patternProperties": {}}, "patternProperties"),
        ({"not": {}}, "not"),
        ({"properties": {"a": {"if": {}}}}, "here/a"),
        ({"properties": {"a": "text"}}, "not an object"),
    ],
)
def test_what_is_not_read_whole_is_an_error(node: dict[str, Any], named: str) -> None:
    with pytest.raises(BadConnector, match=named):
        bounded_schema(document(), node, "here")


def operation(given: dict[str, Any], path: str = "/things") -> Operation:
    """The operation `it`, a POST on `path`."""
    paths = {path: {"post": {"operationId": "it", **given}}}
    return operation_of(document(paths=paths), "it", "here")


def body(schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    """A request body."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


def test_a_bodys_members_are_arguments_where_no_parameter_has_their_name() -> None:
    found = operation(body(ref("Base")))
    assert found.places["a"].where == "member"
    assert found.arguments["required"] == ["a"]
    clash = operation(
        {"parameters": [{"name": "a", "in": "query", "schema": {"type": "string"}}]}
        | body(ref("Base"))
    )
    assert clash.places["a"].where == "query"
    assert clash.places["body"].where == "body"


@pytest.mark.parametrize(
    "given",
    [
        {"parameters": [{"name": "a", "in": "cookie", "required": True, "schema": {}}]},
        {
            "parameters": [
                {
                    "name": "a",
                    "in": "query",
                    "required": True,
                    "style": "deepObject",
                    "schema": {"type": "object"},
                }
            ]
        },
        {"parameters": [{"name": "a b", "in": "query", "schema": {"type": "string"}}]},
        {
            "parameters": [
                {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
            ]
        },
        {"parameters": ["text"]},
        body({"type": "object"}, "multipart/form-data"),
    ],
)
def test_an_argument_that_cannot_be_placed_is_an_error(given: dict[str, Any]) -> None:
    with pytest.raises(BadConnector):
        operation(given)


def test_a_path_without_its_parameter_is_an_error() -> None:
    with pytest.raises(BadConnector, match="do not agree"):
        operation({}, "/things/{id}")


def test_a_summary_is_one_short_line() -> None:
    assert operation({"summary": "Make\nit\x1b[31m" + "x" * 500}).summary.startswith("Make it [31m")
    assert len(operation({"summary": "x" * 500}).summary) == 200


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"openapi: 2.0.0",
        b'{"swagger": "2.0"}',
        b'{"openapi": "4.0.0"}',
        b"openapi: 3.1.0\npaths: [",
        b"\xff\xfe\x00",
        b"a: !!python/object/apply:os.system [id]",
        b"[" * 100_000,
    ],
)
def test_what_is_no_description_is_an_error(data: bytes) -> None:
    with pytest.raises(BadConnector):
        parse_description(data, "here")
