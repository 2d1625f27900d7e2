"""Reading an OpenAPI 3.0 or 3.1 description (spec.openapis.org): operations, and how each is asked.

Only operations that somebody names are looked at. Each becomes one JSON Schema over all its
arguments and a place for each of them; what cannot be placed without guessing is an error. The
description's own servers and security schemes are not believed: settings say those.
"""

import re
from typing import Any, Final, Literal

import msgspec
import yaml
from msgspec import Struct

from schemas.errors import UNREADABLE
from sidecar.connectors.openapi_schema import Document, bounded_schema, check_schema
from sidecar.errors import BadConnector

MAX_DESCRIPTION_BYTES: Final = 2 * 1024 * 1024

METHODS: Final = ("get", "put", "post", "delete", "patch", "head")
BODY: Final = "body"
"""The argument that is the whole body, where its members are not arguments of their own."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_RESERVED: Final = frozenset(
    (
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "host",
        "idempotency-key",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_STYLES: Final = {"path": "simple", "header": "simple", "query": "form"}

MAX_BRACKETS: Final = 256


class Place(Struct, frozen=True):
    """Where an argument goes; `explode` repeats a query's name for each item of an array."""

    where: Literal["path", "query", "header", "member", "body"]
    name: str
    explode: bool = False


class Operation(Struct, frozen=True):
    """One operation: `arguments` is a schema for an object, `places` has each of its members."""

    id: str
    method: str
    path: str
    summary: str
    arguments: dict[str, Any]
    places: dict[str, Place]


def parse_description(data: bytes, where: str) -> Document:
    """The description in `data`, JSON or YAML. Raises `BadConnector`."""
    if len(data) > MAX_DESCRIPTION_BYTES:
        raise BadConnector(f"{where} is over {MAX_DESCRIPTION_BYTES} bytes")
    try:
        content = msgspec.json.decode(data)
    except UNREADABLE:
        # The YAML reader takes minutes for a few thousand brackets in one another.
        if _depth(data) > MAX_BRACKETS:
            raise BadConnector(f"{where} has over {MAX_BRACKETS} brackets in one another") from None
        try:
            content = yaml.safe_load(data)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise BadConnector(f"{where} is neither JSON nor YAML") from error
    version = content.get("openapi") if isinstance(content, dict) else None
    if not isinstance(version, str) or not re.fullmatch(r"3\.[01]\.\d+", version):
        raise BadConnector(
            f"{where} is no OpenAPI 3.0 or 3.1 description", fix="convert it to one of them"
        )
    return Document(content, version.startswith("3.0."))


def _depth(data: bytes) -> int:
    """The most brackets that are open at once, those within texts counted too."""
    depth = most = 0
    for bracket in re.finditer(rb"[\[\]{}]", data):
        depth += 1 if bracket[0] in b"[{" else -1
        most = max(most, depth)
    return most


def operation_of(document: Document, wanted: str, where: str) -> Operation:
    """The operation with the id `wanted`. Raises `BadConnector`, saying where."""
    found = [
        (path, method, shared, operation)
        for path, shared in _items(document, document.content.get("paths"))
        for method, operation in _items(document, shared)
        if method in METHODS and operation.get("operationId") == wanted
    ]
    if len(found) != 1:
        raise BadConnector(
            f"{where} has {'no' if not found else 'more than one'} operation {wanted!r}",
            fix="name an operationId of the description",
        )
    ((path, method, shared, operation),) = found
    place = f"{where} {wanted}"
    made = _Arguments(document, place)
    for parameter in _parameters(document, shared, operation, place):
        made.parameter(parameter)
    if "requestBody" in operation:
        made.body(document.at(operation["requestBody"]))
    holes = set(re.findall(r"\{([^{}]*)\}", path))
    placed = {spot.name for spot in made.places.values() if spot.where == "path"}
    if holes != placed or not path.startswith("/"):
        raise BadConnector(f"{place}: the path and its parameters do not agree")
    schema = {
        "type": "object",
        "properties": made.properties,
        "required": sorted(made.required),
        "additionalProperties": False,
    }
    check_schema(schema, place)
    summary = operation.get("summary") or operation.get("description") or wanted
    return Operation(wanted, method.upper(), path, _line(summary), schema, made.places)


class _Arguments:
    """The arguments of one operation, as they are gathered."""

    def __init__(self, document: Document, where: str) -> None:
        self._document, self._where = document, where
        self.properties: dict[str, Any] = {}
        self.required: set[str] = set()
        self.places: dict[str, Place] = {}

    def parameter(self, given: dict[str, Any]) -> None:
        """Add a parameter of the path, the query or a header."""
        name, kind = given.get("name"), given.get("in")
        if kind == "header" and str(name).lower() in _RESERVED:
            return
        if not isinstance(name, str) or kind not in _STYLES or "schema" not in given:
            self._unplaced(f"the parameter {name!r} in {kind!r}", bool(given.get("required")))
            return
        style = given.get("style", _STYLES[kind])
        schema = bounded_schema(self._document, given["schema"], f"{self._where}/{name}")
        if style != _STYLES[kind] or given.get("allowReserved") or not _flat(schema):
            self._unplaced(f"the parameter {name!r}", bool(given.get("required")))
            return
        explode = kind == "query" and given.get("explode", True) is True
        required = kind == "path" or bool(given.get("required"))
        self._add(name, schema, Place(kind, name, explode), required=required)

    def body(self, given: dict[str, Any]) -> None:
        """Add a body of JSON: its members as arguments, or itself as one."""
        content = given.get("content", {})
        kinds = [kind for kind in content if re.fullmatch(r"application/([\w.+-]+\+)?json", kind)]
        if not kinds or "schema" not in content[kinds[0]]:
            raise BadConnector(f"{self._where}: its body is no JSON", fix="leave it out")
        schema = bounded_schema(self._document, content[kinds[0]]["schema"], f"{self._where}/body")
        members = schema.get("properties", {})
        plain = schema.get("type") == "object" and schema.get("additionalProperties") is False
        if not plain or members.keys() & self.properties.keys() or not _named(members):
            self._add(BODY, schema, Place("body", ""), required=bool(given.get("required")))
            return
        for name, member in members.items():
            needed = name in schema.get("required", ())
            self._add(name, member, Place("member", name), required=needed)

    def _add(self, name: str, schema: dict[str, Any], place: Place, *, required: bool) -> None:
        if not _NAME.fullmatch(name) or name in self.properties:
            raise BadConnector(f"{self._where}: two arguments, or none, are called {name!r}")
        self.properties[name] = schema
        self.places[name] = place
        if required:
            self.required.add(name)

    def _unplaced(self, what: str, required: bool) -> None:
        if required:
            raise BadConnector(
                f"{self._where}: {what} is written in a way that is not sent here",
                fix="leave the operation out",
            )


def _parameters(
    document: Document, shared: dict[str, Any], operation: dict[str, Any], where: str
) -> list[dict[str, Any]]:
    """The operation's parameters, over those that its path shares."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for given in (*shared.get("parameters", ()), *operation.get("parameters", ())):
        parameter = document.at(given)
        if not isinstance(parameter, dict):
            raise BadConnector(f"{where}: a parameter is no object")
        found[str(parameter.get("name")), str(parameter.get("in"))] = parameter
    return list(found.values())


def _items(document: Document, node: Any) -> list[tuple[str, dict[str, Any]]]:
    held = document.at(node)
    if not isinstance(held, dict):
        return []
    pairs = ((str(key), document.at(value)) for key, value in held.items() if key != "parameters")
    return [(key, value) for key, value in pairs if isinstance(value, dict)]


def _flat(schema: dict[str, Any]) -> bool:
    """Whether it is a plain value or an array of such: nothing that a URL writes in two ways."""
    kinds = schema.get("type", "string" if "enum" in schema or "const" in schema else None)
    if kinds == "array":
        items = schema.get("items", {})
        return items.get("type") != "array" and _flat(items)
    listed = [kinds] if isinstance(kinds, str) else kinds or ()
    return bool(listed) and set(listed) <= {"string", "integer", "number", "boolean"}


def _named(members: dict[str, Any]) -> bool:
    return bool(members) and all(_NAME.fullmatch(name) for name in members)


def _line(text: object) -> str:
    shown = "".join(c if c >= " " and c != "\x7f" else " " for c in str(text))
    return " ".join(shown.split())[:200]
