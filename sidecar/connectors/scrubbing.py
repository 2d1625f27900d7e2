"""What a far side says back never holds the credential that it was reached with.

A service that echoes request headers in an error page, or an attacker who owns one, would else
have the runtime read its own tool's key, and the ledger keep it. Looked for are the value
itself and its usual encodings; a value of fewer than six characters is left alone, since it
would be found in half of all texts.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec

from sidecar.connectors.connector import Closing, Connector, Found, Outcome
from sidecar.vault import Credentials

REMOVED: Final = "[credential removed]"
_SHORTEST: Final = 6


class Scrubbed:
    """A connector whose outcomes hold none of `credentials`."""

    def __init__(self, connector: Connector, credentials: Credentials) -> None:
        self.tools = connector.tools
        self._connector = connector
        self._forms = forms(credentials.get(name) for name in credentials.names())

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        return self._clean(await self._connector.execute(tool, arguments, key))

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        found = await self._connector.reconcile(tool, arguments, key)
        outcome = self._clean(found.outcome) if found.outcome is not None else None
        detail = scrubbed(found.detail, self._forms)
        return msgspec.structs.replace(found, outcome=outcome, detail=detail)

    async def close(self) -> None:
        """Let go of what the connector holds open between calls, if it does."""
        if isinstance(self._connector, Closing):
            await self._connector.close()

    def _clean(self, outcome: Outcome) -> Outcome:
        return msgspec.structs.replace(
            outcome,
            detail=scrubbed(outcome.detail, self._forms),
            result=scrubbed(outcome.result, self._forms),
        )


def forms(secrets: Iterable[str]) -> tuple[str, ...]:
    """How secrets can stand in a text, the longest first: plain, escaped, base64, hexadecimal.

    Of base64 all three alignments, without the letters that depend on what stands around.
    """
    found: set[str] = set()
    for secret in secrets:
        if len(secret) < _SHORTEST:
            continue
        raw = secret.encode()
        found |= {secret, quote(secret, safe=""), quote_plus(secret), raw.hex(), raw.hex().upper()}
        found.add(msgspec.json.encode(secret).decode()[1:-1])
        for before in range(3):
            after = -(before + len(raw)) % 3
            code = base64.b64encode(bytes(before) + raw + bytes(after)).decode()
            inner = code[(0, 2, 3)[before] : len(code) - (0, 2, 3)[after]]
            found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return tuple(sorted(found, key=lambda form: (-len(form), form)))


def scrubbed(value: Any, removed: tuple[str, ...]) -> Any:
    """A JSON value with `REMOVED` in the place of each of `removed`, in keys as well."""
    if isinstance(value, str):
        for form in removed:
            if form in value:
                value = value.replace(form, REMOVED)
        return value
    if isinstance(value, Mapping):
        return {scrubbed(key, removed): scrubbed(held, removed) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed(held, removed) for held in value]
    return value
