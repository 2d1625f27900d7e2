"""A connector: the near side of a real tool, reached by the tool's own protocol.

Rules every connector keeps, and `tests/contract/test_connectors.py` proves:
- An effect is done at most once per key, and CONFIRMED only by reading the target back.
- It raises a `ConnectorError` only while nothing was done; once something may have been
  sent, trouble is the outcome UNKNOWN, and nothing is tried again.
- `reconcile` answers NOT_DONE only on the target's own word; whatever hinders it is UNKNOWN.
- Once a call is cancelled, it begins nothing further.
- Results stay within `MAX_RESULT_BYTES` and say so where they were cut.
"""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final, Protocol, TypeVar, runtime_checkable

import msgspec
from msgspec import Struct

from schemas.actions import ActionOutcome
from schemas.tools import Tool
from sidecar.errors import BadArguments, BadConnector

MAX_RESULT_BYTES: Final = 64 * 1024
"""A result's size as JSON."""

ONE_LINE: Final = r"^[^\x00-\x1f\x7f]*$(?!\n)"
"""Text without control characters. `$` alone lets Python's `re` pass a final line break."""

_KEY: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of a tool's run.

    `evidence` holds the bytes the target answered when read back, empty where nothing was;
    `detail` is fit for the ledger in the clear; `result` is a JSON value for the runtime.
    """

    status: ActionOutcome
    evidence: bytes
    detail: str
    result: Any = None


class Finding(Enum):
    """What the target says of a key."""

    DONE = "done"
    NOT_DONE = "not done"
    UNKNOWN = "unknown"


class Found(Struct, frozen=True):
    """A finding, with the outcome as read back where it is DONE.

    `settled` is NOT_DONE for good, once the call in question is over: nothing of it can still be
    under way at the far side.
    """

    finding: Finding
    outcome: Outcome | None = None
    detail: str = ""
    settled: bool = False


class Connector(Protocol):
    """See the module's docstring for the rules."""

    tools: tuple[Tool, ...]

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        """Run `tool` under the idempotency key `key`, a UUIDv7. Raises `ConnectorError`."""
        ...

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        """Whether the effect of `key` happened. A read never needs to have: NOT_DONE.

        Raises `BadArguments` or `BadTarget` where the arguments could never have been
        executed.
        """
        ...


@runtime_checkable
class Closing(Protocol):
    """A connector that holds something open between calls."""

    async def close(self) -> None:
        """Let it go."""
        ...


def registry(connectors: Iterable[Connector]) -> dict[str, Connector]:
    """Connectors by tool name. Raises `BadConnector` where two serve the same one."""
    by_tool: dict[str, Connector] = {}
    for connector in connectors:
        for tool in connector.tools:
            if tool.name in by_tool:
                raise BadConnector(
                    f"two connectors serve the tool {tool.name}", fix="switch one of them off"
                )
            by_tool[tool.name] = connector
    return by_tool


Arguments = TypeVar("Arguments", bound=Struct)


def arguments_as(kind: type[Arguments], arguments: Mapping[str, Any]) -> Arguments:
    """The arguments as the Struct they were declared by. Raises `BadArguments`."""
    try:
        msgspec.json.encode(arguments)
        return msgspec.convert(dict(arguments), kind)
    except (UnicodeEncodeError, TypeError):
        raise BadArguments("the arguments are nothing that JSON can carry") from None
    except msgspec.ValidationError as error:
        # Only the place: the rest of the message may quote the value.
        _, found, place = str(error).rpartition(" - at ")
        where = place if found else "the object"
        raise BadArguments(
            f"the arguments do not fit the tool's schema at {where}",
            fix="propose again within the tool's schema",
        ) from None


def schema_of(kind: type[Struct]) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a tool's arguments, from the Struct that reads them."""
    (reference,), parts = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    name = reference["$ref"].rpartition("/")[2]
    schema: dict[str, Any] = dict(parts.pop(name))
    return {**schema, "$defs": parts} if parts else schema


def check_key(key: str) -> str:
    """`key` if it is a UUIDv7 in lower case. Raises `BadArguments`."""
    if not _KEY.fullmatch(key):
        raise BadArguments("the idempotency key is no UUIDv7", fix="use the event id")
    return key


def key_milliseconds(key: str) -> int:
    """The time in a UUIDv7, milliseconds since the epoch (RFC 9562 section 5.7)."""
    return int(check_key(key).replace("-", "")[:12], 16)


def confirmed(evidence: bytes, detail: str, result: Any) -> Outcome:
    """Read back at the target, and as asked."""
    return Outcome(
        status=ActionOutcome.CONFIRMED, evidence=evidence, detail=detail, result=bounded(result)
    )


def unknown(detail: str, evidence: bytes = b"") -> Outcome:
    """It may have happened; a person must look."""
    return Outcome(status=ActionOutcome.UNKNOWN, evidence=evidence, detail=detail)


def failed(detail: str, evidence: bytes = b"") -> Outcome:
    """The target itself shows that it did not happen."""
    return Outcome(status=ActionOutcome.FAILED, evidence=evidence, detail=detail)


def bounded(result: Any) -> Any:
    """`result`, or where it is too large the head of its JSON with `truncated` and its size."""
    encoded = msgspec.json.encode(result)
    if len(encoded) <= MAX_RESULT_BYTES:
        return result
    # JSON within JSON at most doubles: only quotes and backslashes are escaped once more.
    head = encoded[: MAX_RESULT_BYTES // 2 - 64].decode("utf-8", "ignore")
    return {"truncated": True, "bytes": len(encoded), "head": head}


def cut(text: str, limit: int) -> tuple[str, bool]:
    """As much of `text` as fits `limit` bytes of JSON, and whether that is less than all."""
    kept = text[:limit]
    while (size := len(msgspec.json.encode(kept))) > limit:
        kept = kept[: len(kept) * limit // size]
    return kept, len(kept) < len(text)
