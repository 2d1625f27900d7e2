"""The page as one file: no reference to anything outside it, and a policy that allows none.

Its content security policy lets only its own script and style run, by their SHA-256, and lets it
reach nothing. It is the same for every export, so that a copy can be compared with one's own.
Sources: CSP Level 3 sections 2.3 and 6; WebCrypto with Ed25519 (RFC 8032).
"""

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import Final

from schemas.authority import AUTHORITY, EVENTLESS

SCRIPTS: Final = ("msgpack.js", "proofs.js", "trust.js", "verifying.js")
"""What verifies, in order; it needs no document."""

_BROWSING: Final = "browsing.js"


@cache
def page() -> str:
    """The whole page."""
    script = f"{verifier()}\n{_read(_BROWSING)}"
    style = _read("page.css")
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}';"
        " base-uri 'none'; form-action 'none'"
    )
    text = _read("page.html")
    for name, value in (("policy", policy), ("style", style), ("script", script)):
        text = text.replace(f"{{{name}}}", value, 1)
    return text


def verifier() -> str:
    """The script that verifies, without what shows it."""
    table = {kind: [topic, [r.value for r in roles]] for kind, (topic, roles) in AUTHORITY.items()}
    return "\n".join(
        (
            '"use strict";',
            f"const AUTHORITY = {json.dumps(table)};",
            f"const EVENTLESS = {json.dumps(EVENTLESS)};",
            *(_read(name) for name in SCRIPTS),
        )
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"sha256-{digest}"


def _read(name: str) -> str:
    return (files("ledger.page") / name).read_text(encoding="utf-8")
