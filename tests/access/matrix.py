"""Who may open which door: written by hand, from the roles' description, and not from the code.

A route that stands in neither table fails the trial, so that a new one is decided here too.
"""

from typing import Final

from schemas.access import AccessRole, TokenScope

REP, APPROVER, AUDITOR, ADMIN = AccessRole
ALL: Final = frozenset(AccessRole)
OVERSEERS: Final = frozenset({APPROVER, AUDITOR, ADMIN})

OPEN: Final = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/link"),
    ("POST", "/sign-in/link"),
    ("GET", "/sign-in/with/{name}"),
    ("GET", "/sign-in/back/{name}"),
    ("GET", "/sign-in/saml/{name}"),
    ("GET", "/sign-in/saml/{name}/begin"),
    ("POST", "/sign-in/saml/{name}/acs"),
    ("GET", "/sign-in/saml/{name}/enter"),
    ("GET", "/static/{version}/{name}"),
}
"""They serve whoever comes, and show nothing of the workspace but its name."""

ALLOWED: Final[dict[tuple[str, str], frozenset[AccessRole]]] = {
    ("GET", "/"): ALL,
    ("GET", "/live"): ALL,
    ("GET", "/runs"): ALL,
    ("GET", "/runs/new"): frozenset({REP}),
    ("POST", "/runs"): frozenset({REP}),
    ("GET", "/runs/{run}"): ALL,
    ("GET", "/inbox"): ALL,
    ("GET", "/inbox/{proposal}"): ALL,
    ("POST", "/inbox/{proposal}"): frozenset({APPROVER, ADMIN}),
    ("GET", "/halt"): ALL,
    ("POST", "/halt"): frozenset({REP, APPROVER, ADMIN}),
    ("POST", "/release"): frozenset({ADMIN}),
    ("GET", "/destinations"): OVERSEERS,
    ("GET", "/memory"): ALL,
    ("GET", "/flags"): OVERSEERS,
    ("GET", "/webhooks"): OVERSEERS,
    ("GET", "/ledger"): OVERSEERS,
    ("GET", "/ledger/{index:int}"): OVERSEERS,
    ("GET", "/ledger/{index:int}/proof"): OVERSEERS,
    ("GET", "/people"): frozenset({AUDITOR, ADMIN}),
    ("GET", "/leases"): ALL,
    ("GET", "/export"): frozenset({AUDITOR, ADMIN}),
    ("POST", "/export"): frozenset({AUDITOR, ADMIN}),
    ("GET", "/export/ledger.tar"): frozenset({AUDITOR, ADMIN}),
    ("GET", "/passkeys"): frozenset({REP, APPROVER, ADMIN}),
    ("POST", "/passkeys"): frozenset({REP, APPROVER, ADMIN}),
    ("POST", "/sign-out"): ALL,
}

FOREIGN: Final = {("GET", "/runs/{run}"), ("GET", "/inbox/{proposal}"), ("POST", "/halt")}
"""Of these a rep may open those that are about their own runs, and no other rep's."""


READ, REQUEST, APPROVE, HALT, EXPORT, MANAGE = TokenScope

BY_TOKEN: Final[dict[tuple[str, str], tuple[frozenset[AccessRole], TokenScope | None]]] = {
    ("GET", "/me"): (ALL, None),
    ("GET", "/overview"): (ALL, READ),
    ("GET", "/runs"): (ALL, READ),
    ("POST", "/runs"): (frozenset({REP}), REQUEST),
    ("GET", "/runs/{run}"): (ALL, READ),
    ("GET", "/runs/{run}/timeline"): (ALL, READ),
    ("GET", "/approvals"): (ALL, READ),
    ("GET", "/approvals/{proposal}"): (ALL, READ),
    ("POST", "/approvals/{proposal}/decision"): (frozenset({APPROVER, ADMIN}), APPROVE),
    ("GET", "/standing"): (ALL, READ),
    ("GET", "/halts"): (ALL, READ),
    ("POST", "/halts"): (frozenset({REP, APPROVER, ADMIN}), HALT),
    ("POST", "/halts/{index:int}/release"): (frozenset({ADMIN}), MANAGE),
    ("GET", "/destinations"): (OVERSEERS, READ),
    ("GET", "/memory"): (ALL, READ),
    ("GET", "/memory/{claim}"): (ALL, READ),
    ("GET", "/flags"): (OVERSEERS, READ),
    ("GET", "/webhooks"): (OVERSEERS, READ),
    ("GET", "/policy"): (OVERSEERS, READ),
    ("GET", "/people"): (frozenset({AUDITOR, ADMIN}), MANAGE),
    ("GET", "/tokens"): (frozenset({AUDITOR, ADMIN}), MANAGE),
    ("GET", "/sign-ins"): (frozenset({AUDITOR, ADMIN}), MANAGE),
    ("GET", "/ledger/entries"): (OVERSEERS, EXPORT),
    ("GET", "/ledger/entries/{index:int}"): (OVERSEERS, EXPORT),
    ("GET", "/ledger/entries/{index:int}/proof"): (OVERSEERS, EXPORT),
    ("GET", "/ledger/checkpoint"): (OVERSEERS, EXPORT),
}
"""The HTTP API below its prefix: which roles, and by which scope of a token."""

FOREIGN_BY_TOKEN: Final = {
    ("GET", "/runs/{run}"),
    ("GET", "/runs/{run}/timeline"),
    ("GET", "/approvals/{proposal}"),
    ("POST", "/halts"),
}
"""As `FOREIGN`, of the API."""
