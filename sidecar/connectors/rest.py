"""A service over HTTP by its OpenAPI description, as far as the settings let agents use it.

An effect is CONFIRMED where the settings say by which other operation it is seen, and it is, or
where they take the service's own yes for it; otherwise it stays UNKNOWN. It is found again after
a crash only by that other operation, and NOT_DONE only where that one is asked by the effect's
key: a key in a header tells the service, and tells us nothing. See decision 0026.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

import jsonpointer
import jsonschema_rs
import msgspec
from msgspec import Struct

from schemas.httpapi import HttpApiSettings
from schemas.tools import Effect, Tool
from sidecar.connectors.connector import (
    Finding,
    Found,
    Outcome,
    check_key,
    confirmed,
    unknown,
)
from sidecar.connectors.http import HttpService, Reply, checked
from sidecar.connectors.openapi import Operation
from sidecar.connectors.rest_request import kept, request_of
from sidecar.connectors.rest_tools import KEY, Call, ReadBack
from sidecar.errors import (
    BadArguments,
    ConnectorError,
    Garbled,
    TargetRefused,
    Unanswered,
    Unreachable,
)

MAX_DEPTH: Final = 64


class _Seen(Struct, frozen=True):
    """What the reading operation showed: the record, or None where there is none."""

    record: Any
    holds: bool
    evidence: bytes


class RestConnector:
    """The API behind `calls`. See the module's docstring. Raises `BadConnector`."""

    def __init__(
        self,
        calls: tuple[Call, ...],
        settings: HttpApiSettings,
        token: str,
        *,
        timeout_s: float = 15.0,
    ) -> None:
        self._calls = {call.tool.name: call for call in calls}
        self.tools: tuple[Tool, ...] = tuple(call.tool for call in self._calls.values())
        self._schemas = {
            tool.name: jsonschema_rs.Draft202012Validator(tool.arguments) for tool in self.tools
        }
        self._service = HttpService(
            settings.url, token, timeout_s=timeout_s, header=settings.header
        )

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        call = self._checked(tool, arguments)
        if call.tool.effect is Effect.READ:
            return await self._read(call, arguments)
        if call.read is not None and call.read.keyed:
            seen = await self._see(call.read, arguments, key)
            if seen.record is not None:
                return _outcome(call, seen)
        return await self._do(call, arguments, key)

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        check_key(key)
        call = self._checked(tool, arguments)
        if call.tool.effect is Effect.READ:
            return Found(Finding.NOT_DONE)
        if call.read is None:
            return Found(Finding.UNKNOWN, detail="the settings name no way to ask for it")
        try:
            seen = await self._see(call.read, arguments, key)
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if seen.record is not None and (seen.holds or call.read.keyed):
            outcome = _outcome(call, seen)
            return Found(Finding.DONE, outcome)
        if seen.record is None and call.read.keyed:
            return Found(Finding.NOT_DONE)
        return Found(Finding.UNKNOWN, detail="the record does not tell whether it is done")

    def _checked(self, tool: str, arguments: dict[str, Any]) -> Call:
        call = self._calls.get(tool)
        if call is None:
            raise BadArguments("this connector does not serve that tool")
        try:
            msgspec.json.encode(arguments)
            fits = self._schemas[tool].is_valid(arguments)
        except (UnicodeEncodeError, TypeError, ValueError):
            raise BadArguments("the arguments are nothing that JSON can carry") from None
        if not fits:
            raise BadArguments(
                "the arguments do not fit the tool's schema",
                fix="propose again within the tool's schema",
            )
        return call

    async def _read(self, call: Call, arguments: Mapping[str, Any]) -> Outcome:
        try:
            body = checked(await self._send(call.operation, {**arguments, **call.settings.fixed}))
        except Unanswered as error:
            raise Unreachable(error.what) from error
        result = kept(_json(body), call.settings.keep)
        return confirmed(body or b"no content", f"{len(body)} bytes read", result)

    async def _do(self, call: Call, arguments: Mapping[str, Any], key: str) -> Outcome:
        place, _, name = call.settings.key.partition(":")
        sent = {**arguments, **call.settings.fixed, **({name: key} if place == "argument" else {})}
        headers = {name: key} if place == "header" else {}
        try:
            reply = await self._send(call.operation, sent, headers)
            if reply.status == 409 and place:
                return await self._conflict(call, arguments, key, reply)
            body = checked(reply)
        except (Unanswered, Garbled) as error:
            return unknown(str(error))
        if call.read is not None or call.settings.confirm == "none":
            return await self._confirm(call, arguments, key, body)
        try:
            result = kept(_json(body), call.settings.keep)
        except Garbled as error:
            return unknown(str(error), body)
        return confirmed(body or b"no content", f"the service answered {reply.status}", result)

    async def _conflict(
        self, call: Call, arguments: Mapping[str, Any], key: str, reply: Reply
    ) -> Outcome:
        """A key may be known there from an earlier sending; perhaps that one has not yet ended."""
        if call.read is None or not call.read.keyed:
            return unknown("the service names a conflict (409), perhaps with this very effect")
        try:
            seen = await self._see(call.read, arguments, key)
        except ConnectorError as error:
            return unknown(f"the service names a conflict (409): {error}")
        if seen.record is not None:
            return _outcome(call, seen)
        if call.settings.key.startswith("argument:"):
            raise TargetRefused("the service holds another record with these values (409)")
        return unknown("the service names a conflict (409), and no record shows the key")

    async def _confirm(
        self, call: Call, arguments: Mapping[str, Any], key: str, body: bytes
    ) -> Outcome:
        if call.read is None:
            return unknown("sent, and the settings name no way to see whether it is done", body)
        try:
            seen = await self._see(call.read, arguments, key)
        except ConnectorError as error:
            return unknown(f"sent, but it could not be read back: {error}", body)
        if seen.record is None:
            return unknown("sent, but no record shows it", seen.evidence)
        return _outcome(call, seen)

    async def _see(self, read: ReadBack, arguments: Mapping[str, Any], key: str) -> _Seen:
        """What the reading operation shows. Raises a `ConnectorError` that is no answer."""
        asked = {
            name: _said(said, arguments, key) for name, said in read.settings.arguments.items()
        }
        try:
            reply = await self._send(read.operation, asked)
            if reply.status == 404 and read.settings.absent_404:
                return _Seen(None, False, reply.body)
            body = checked(reply)
        except Unanswered as error:
            raise Unreachable(error.what) from error
        answer = _json(body)
        try:
            record = jsonpointer.resolve_pointer(answer, read.settings.found)
        except jsonpointer.JsonPointerException:
            return _Seen(None, False, body)
        if record is None:
            return _Seen(None, False, body)
        wanted = {place: _said(said, arguments, key) for place, said in read.settings.holds.items()}
        held = {place: jsonpointer.resolve_pointer(record, place, None) for place in wanted}
        keys = [place for place, said in read.settings.holds.items() if said == KEY]
        if not all(_same(held[place], wanted[place]) for place in keys):
            raise Garbled("the service answered about another record")
        return _Seen(record, all(_same(held[p], wanted[p]) for p in wanted), body)

    async def _send(
        self,
        operation: Operation,
        arguments: Mapping[str, Any],
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        request = request_of(operation, arguments)
        return await self._service.exchange(
            request.method,
            request.path,
            query=request.query or None,
            body=request.body,
            headers={**request.headers, **(headers or {})},
        )


def _outcome(call: Call, seen: _Seen) -> Outcome:
    if not seen.holds:
        return unknown("done, but the record reads otherwise: changed since", seen.evidence)
    result = kept(seen.record, call.settings.keep)
    return confirmed(seen.evidence, "the record holds the values", result)


def _said(said: str, arguments: Mapping[str, Any], key: str) -> Any:
    """What a setting stands for: the key, an argument, or itself."""
    if said == KEY:
        return key
    if said.startswith("$"):
        if said[1:] not in arguments:
            raise BadArguments("an argument that the effect is seen by is missing")
        return arguments[said[1:]]
    return said


def _same(held: Any, wanted: Any) -> bool:
    """Whether a value reads as asked; services write numbers as text, and text as numbers."""
    plain = isinstance(held, str | int | float) and isinstance(wanted, str | int | float)
    return bool(held == wanted) or (plain and str(held) == str(wanted))


def _json(body: bytes) -> Any:
    """An answer's value, nested no deeper than what everybody behind us can take."""
    if not body.strip():
        return None
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled("the service's answer is no JSON") from error
    level, depth = [value], 0
    while level:
        if (depth := depth + 1) > MAX_DEPTH:
            raise Garbled("the service's answer is nested too deeply")
        level = [below for one in level for below in _below(one)]
    return value


def _below(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
