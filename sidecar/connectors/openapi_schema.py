"""From a schema of an OpenAPI 3.0 or 3.1 description to one that bounds what an agent may propose.

References within the document are put in place; what would need another document, recursion or
a keyword that is not read here is an error, since a schema read in part lets through what it
forbids. Each string, array and number gets a bound where it has none, and no object takes a member
that is not named.
"""

from typing import Any, Final

import jsonschema_rs
import msgspec
from msgspec import Struct
from referencing import Registry, Resource
from referencing.exceptions import Unresolvable

from sidecar.errors import BadConnector

MAX_SCHEMA_BYTES: Final = 64 * 1024
MAX_STRING: Final = 2_000
LONGEST_STRING: Final = 32_768
MAX_ITEMS: Final = 20
MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 24

_KEPT: Final = frozenset(
    (
        "type",
        "enum",
        "const",
        "format",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
        "required",
        "minProperties",
        "maxProperties",
    )
)
_WITHIN: Final = ("allOf", "anyOf", "oneOf")
_READ: Final = frozenset(("$ref", "properties", "items", "additionalProperties", *_WITHIN))
_SAID: Final = frozenset(
    (
        "title",
        "description",
        "default",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "xml",
        "discriminator",
        "externalDocs",
        "nullable",
        "$comment",
    )
)


class Document(Struct, frozen=True):
    """A description, and whether its schemas are in the dialect of OpenAPI 3.0."""

    content: dict[str, Any]
    dialect_30: bool

    def at(self, node: Any) -> Any:
        """`node`, or what it refers to. Raises `BadConnector`."""
        seen: set[str] = set()
        while isinstance(node, dict) and "$ref" in node:
            node = self.target(node["$ref"], seen)
        return node

    def target(self, reference: Any, seen: set[str] | frozenset[str]) -> Any:
        """What a reference leads to within the document."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise BadConnector(
                f"the description refers to {reference!r}, outside itself",
                fix="put it into one file",
            )
        if reference in seen:
            raise BadConnector(
                f"{reference} refers to itself", fix="choose operations without recursive schemas"
            )
        if isinstance(seen, set):
            seen.add(reference)
        whole = Registry[Any]().with_resource("", Resource.opaque(self.content))
        try:
            return whole.resolver().lookup(reference).contents
        except (Unresolvable, ValueError, TypeError, KeyError, IndexError):
            raise BadConnector(f"the description has no {reference}", fix="mend it") from None


def bounded_schema(document: Document, node: Any, where: str) -> dict[str, Any]:
    """The schema `node` in JSON Schema 2020-12, whole and bounded. Raises `BadConnector`."""
    return _schema(document, node, where, frozenset(), closed=True)


def check_schema(schema: dict[str, Any], where: str) -> None:
    """Raises `BadConnector` where a schema is none, or larger than a policy should carry."""
    if len(msgspec.json.encode(schema)) > MAX_SCHEMA_BYTES:
        raise BadConnector(f"{where}: its arguments' schema is over {MAX_SCHEMA_BYTES} bytes")
    try:
        jsonschema_rs.Draft202012Validator(schema)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise BadConnector(f"{where}: its arguments' schema is no JSON Schema") from error


def _schema(
    document: Document, node: Any, where: str, seen: frozenset[str], *, closed: bool
) -> dict[str, Any]:
    if not isinstance(node, dict):
        raise BadConnector(f"{where}: a schema is {type(node).__name__}, not an object")
    if len(where.split("/")) > MAX_DEPTH:
        raise BadConnector(f"{where}: the schema is nested too deeply")
    strange = sorted(key for key in node if key not in _KEPT | _READ | _SAID and key[:2] != "x-")
    if strange:
        raise BadConnector(
            f"{where}: the keyword {strange[0]} is not read here",
            fix="leave the operation out, or simplify its description",
        )
    if "$ref" in node:
        reference = node["$ref"]
        target = document.target(reference, seen)
        beside = {k: v for k, v in node.items() if k in _KEPT | _READ and k != "$ref"}
        whole = {"allOf": [target, beside]} if beside and not document.dialect_30 else target
        return _schema(document, whole, where, seen | {reference}, closed=closed)
    made = {key: value for key, value in node.items() if key in _KEPT}
    for key in _WITHIN:
        if key in node:
            made[key] = [
                _schema(document, one, f"{where}/{key}", seen, closed=False) for one in node[key]
            ]
    if "properties" in node:
        made["properties"] = {
            name: _schema(document, one, f"{where}/{name}", seen, closed=True)
            for name, one in node["properties"].items()
            if not _read_only(document.at(one))
        }
    if "required" in made:
        known = node.get("properties", {})
        gone = known.keys() - made.get("properties", {}).keys()
        made["required"] = [name for name in made["required"] if name not in gone]
    if "items" in node:
        made["items"] = _schema(document, node["items"], f"{where}/items", seen, closed=True)
    more = node.get("additionalProperties")
    if isinstance(more, dict) and more:
        made["additionalProperties"] = _schema(document, more, f"{where}/*", seen, closed=True)
    if document.dialect_30:
        _from_30(made, node)
    return _bound(made, closed=closed)


def _read_only(node: Any) -> bool:
    return isinstance(node, dict) and node.get("readOnly") is True


def _from_30(made: dict[str, Any], node: dict[str, Any]) -> None:
    """What OpenAPI 3.0 writes in a way of its own."""
    for strict, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(strict), bool):
            if made.pop(strict) and limit in made:
                made[strict] = made.pop(limit)
    if node.get("nullable") is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]


def _bound(made: dict[str, Any], *, closed: bool) -> dict[str, Any]:
    composed = any(key in made for key in _WITHIN)
    fixed = "enum" in made or "const" in made
    if "type" not in made and not composed and not fixed:
        made["type"] = _implied(made)
    kinds = made.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "string" in kinds:
        made["maxLength"] = min(made.get("maxLength", MAX_STRING), LONGEST_STRING)
    if "array" in kinds:
        made["maxItems"] = min(made.get("maxItems", MAX_ITEMS), MAX_ITEMS)
        made.setdefault("items", {"type": "string", "maxLength": MAX_STRING})
    if ("integer" in kinds or "number" in kinds) and not fixed:
        if "exclusiveMinimum" not in made:
            made.setdefault("minimum", -MAX_INTEGER)
        if "exclusiveMaximum" not in made:
            made.setdefault("maximum", MAX_INTEGER)
    if "object" in kinds or "properties" in made or (composed and closed):
        _close(made, composed=composed, closed=closed)
    return made


def _close(made: dict[str, Any], *, composed: bool, closed: bool) -> None:
    """No member beside those that are named; of a composed schema, in any of its parts."""
    if isinstance(made.get("additionalProperties"), dict):
        made.setdefault("maxProperties", MAX_ITEMS)
        made["propertyNames"] = {"maxLength": 100}
    elif composed:
        if closed:
            made["unevaluatedProperties"] = False
    elif closed:
        made["additionalProperties"] = False


def _implied(made: dict[str, Any]) -> str | list[str]:
    if "properties" in made or "additionalProperties" in made:
        return "object"
    if "items" in made:
        return "array"
    return ["string", "number", "boolean"]
