"""From an operation and its arguments to the request, and what of an answer is handed on. Pure.

Each argument goes where the description puts it, percent-encoded there, and nowhere else: no
argument can add a segment to a path, a name to a query or a line to a header.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from sidecar.connectors.openapi import Operation
from sidecar.errors import BadArguments


class Request(Struct, frozen=True):
    """What is sent; `body` None sends none."""

    method: str
    path: str
    query: dict[str, str | list[str]]
    headers: dict[str, str]
    body: bytes | None


def request_of(operation: Operation, arguments: Mapping[str, Any]) -> Request:
    """The request. Raises `BadArguments` where an argument has no form in its place."""
    path, query, headers = operation.path, dict[str, str | list[str]](), dict[str, str]()
    members: dict[str, Any] = {}
    body: Any = msgspec.UNSET
    for name, value in arguments.items():
        place = operation.places.get(name)
        if place is None:
            raise BadArguments("the arguments do not fit the tool's schema")
        if place.where == "member":
            members[place.name] = value
        elif place.where == "body":
            body = value
        elif place.where == "path":
            path = path.replace(f"{{{place.name}}}", _segment(value))
        elif place.where == "header":
            headers[place.name] = _header(value)
        elif isinstance(value, list) and place.explode:
            query[place.name] = [_plain(one) for one in value]
        else:
            query[place.name] = _plain(value)
    if re.search(r"[{}]", path):
        raise BadArguments("an argument of the path is missing")
    if members or (body is msgspec.UNSET and _has_members(operation)):
        body = members
    sent = None if body is msgspec.UNSET else msgspec.json.encode(body)
    return Request(operation.method, path, query, headers, sent)


def kept(value: Any, names: Collection[str]) -> Any:
    """`value` with the members `names` alone, at whatever depth; whole where none is named."""
    if not names:
        return value
    if isinstance(value, list):
        return [kept(one, names) for one in value if isinstance(one, dict | list)]
    if not isinstance(value, dict):
        return None
    found: dict[str, Any] = {}
    for name, held in value.items():
        if name in names:
            found[name] = held
        elif isinstance(held, dict | list) and (inner := kept(held, names)):
            found[name] = inner
    return found


def _has_members(operation: Operation) -> bool:
    return any(place.where == "member" for place in operation.places.values())


def _segment(value: Any) -> str:
    text = _plain(value)
    if text in ("", ".", ".."):
        raise BadArguments("an argument of the path is empty, or climbs")
    return quote(text, safe="")


def _header(value: Any) -> str:
    text = _plain(value)
    if not re.fullmatch(r"[!-~]([ -~]*[!-~])?", text):
        raise BadArguments("an argument is no text for a header")
    return text


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_plain(one) for one in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise BadArguments("an argument is no plain value")
