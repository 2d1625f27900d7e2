"""Which operations of a described HTTP API become tools, and how each is done and seen.

Nothing of a description becomes a tool unless the settings list it, and the settings pin the
description by its digest: one that changes is not read until somebody has looked. Whatever the
settings name must be there, so that a part or a check misspelt is an error and not silence.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from schemas.httpapi import HttpApiSettings, OperationSettings, ReadBackSettings
from schemas.tools import Effect, Tool
from sidecar.connectors.openapi import (
    MAX_DESCRIPTION_BYTES,
    Operation,
    operation_of,
    parse_description,
)
from sidecar.connectors.openapi_schema import Document
from sidecar.errors import BadConnector

KEY: Final = "$key"

_READS: Final = ("GET", "HEAD")


class ReadBack(Struct, frozen=True):
    """The operation that shows an effect; `keyed` where it is asked for by the effect's key."""

    operation: Operation
    settings: ReadBackSettings
    keyed: bool


class Call(Struct, frozen=True):
    """A tool, the operation behind it, and how it is done."""

    tool: Tool
    operation: Operation
    settings: OperationSettings
    read: ReadBack | None


def calls_of(name: str, settings: HttpApiSettings, base: Path) -> tuple[Call, ...]:
    """The calls of the API `name`, whose description is under `base`. Raises `BadConnector`."""
    document = _described(name, settings, base)
    calls = tuple(
        _call(name, document, settings, wanted, chosen)
        for wanted, chosen in settings.operations.items()
    )
    names = [call.tool.name for call in calls]
    twice = {one for one in names if names.count(one) > 1}
    if twice:
        raise BadConnector(f"connectors.http.{name}: two operations would be {sorted(twice)[0]}")
    return calls


def _described(name: str, settings: HttpApiSettings, base: Path) -> Document:
    path = base / settings.description
    key = f"connectors.http.{name}"
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DESCRIPTION_BYTES + 1)
    except OSError as error:
        raise BadConnector(
            f"{key}.description cannot be read: {error.strerror}", fix="check the path"
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != settings.sha256:
        raise BadConnector(
            f"{key}: the description is another than the settings pin",
            fix=f'read what changed, then set {key}.sha256 = "{digest}"',
        )
    return parse_description(data, f"{key}.description")


def _call(
    name: str, document: Document, api: HttpApiSettings, wanted: str, chosen: OperationSettings
) -> Call:
    where = f"connectors.http.{name}.operations.{wanted}"
    operation = operation_of(document, wanted, f"connectors.http.{name}")
    place, _, key_name = chosen.key.partition(":")
    _present(where, "omit", chosen.omit, operation)
    _present(where, "fixed", chosen.fixed, operation)
    taken = {*chosen.omit, *chosen.fixed}
    if place == "argument":
        _present(where, "key", [key_name], operation)
        taken.add(key_name)
    own = {api.header.lower(), key_name.lower() if place == "header" else ""}
    taken |= {
        argument
        for argument, spot in operation.places.items()
        if spot.where == "header" and spot.name.lower() in own
    }
    properties: dict[str, Any] = operation.arguments["properties"]
    required: list[str] = operation.arguments["required"]
    if left := sorted(set(chosen.omit) & set(required)):
        raise BadConnector(f"{where}.omit: {left[0]} is required")
    arguments = {
        **operation.arguments,
        "properties": {k: v for k, v in properties.items() if k not in taken},
        "required": [k for k in required if k not in taken],
    }
    for part in ("destinations", "amounts", "paths", "objects", "contents"):
        _parts(where, part, getattr(chosen, part), arguments)
    effect = chosen.effect or (Effect.READ if operation.method in _READS else Effect.MUTATION)
    if effect is Effect.READ and (chosen.key or chosen.read or chosen.confirm != "none"):
        raise BadConnector(f"{where}: a read has no key and nothing to confirm")
    read = None
    if chosen.read is not None:
        read = _read_back(f"{where}.read", document, chosen.read, f"connectors.http.{name}")
    tool = Tool(
        name=_tool_name(name, wanted, where),
        summary=chosen.summary or operation.summary,
        arguments=arguments,
        effect=effect,
        destinations=chosen.destinations,
        amounts=chosen.amounts,
        paths=chosen.paths,
        objects=chosen.objects,
        contents=chosen.contents,
        trust=chosen.trust,
        trusted=chosen.trusted,
        classification=chosen.classification,
        asked_by=chosen.asked_by,
        reach=chosen.reach,
        ceiling=chosen.ceiling,
        cost=chosen.cost,
        compensation=chosen.compensation,
        confirm=_confirm(effect, chosen),
    )
    return Call(tool, operation, chosen, read)


def _read_back(where: str, document: Document, settings: ReadBackSettings, api: str) -> ReadBack:
    operation = operation_of(document, settings.operation, api)
    if operation.method not in _READS:
        raise BadConnector(f"{where}.operation: {settings.operation} is no GET")
    _present(where, "arguments", settings.arguments, operation)
    missing = set(operation.arguments["required"]) - settings.arguments.keys()
    if missing:
        raise BadConnector(f"{where}.arguments: {sorted(missing)[0]} is required")
    for pointer in (settings.found, *settings.holds):
        if not re.fullmatch(r"(/[^/]*)*", pointer) or re.search(r"~(?![01])", pointer):
            raise BadConnector(f"{where}: {pointer!r} is no JSON pointer (RFC 6901)")
    keyed = KEY in settings.arguments.values()
    if keyed and KEY not in settings.holds.values():
        # A service that does not know the filter answers with any record.
        raise BadConnector(
            f"{where}.holds does not compare the key", fix=f'say where the record holds "{KEY}"'
        )
    return ReadBack(operation, settings, keyed)


def _confirm(effect: Effect, chosen: OperationSettings) -> str:
    if effect is Effect.READ:
        return ""
    if chosen.read is not None:
        return f"{chosen.read.operation} is asked and shows the record with its values"
    if chosen.confirm == "answer":
        return "the service's own answer to the request"
    return "nothing: what comes of it stays unknown"


def _tool_name(name: str, wanted: str, where: str) -> str:
    """`area.verb_noun` of an operationId in any of the usual spellings."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", wanted).lower()
    made = f"{name}.{re.sub(r'[^a-z0-9]+', '_', snake).strip('_')}"
    if len(made) > 63:
        raise BadConnector(f"{where}: its tool's name would have over 63 characters")
    return made


def _present(where: str, key: str, names: Iterable[str], operation: Operation) -> None:
    for name in names:
        if name not in operation.places:
            raise BadConnector(
                f"{where}.{key}: {operation.id} has no argument {name!r}",
                fix=f"choose among {', '.join(sorted(operation.places)) or 'none'}",
            )


def _parts(where: str, key: str, names: Iterable[str], arguments: dict[str, Any]) -> None:
    for name in names:
        if name.partition(".")[0] not in arguments["properties"]:
            raise BadConnector(
                f"{where}.{key}: the tool has no argument {name!r}",
                fix=f"choose among {', '.join(sorted(arguments['properties'])) or 'none'}",
            )
