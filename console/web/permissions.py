"""What each role may do in the console: the one table behind every route and every button.

A token of the HTTP API has scopes, each a part of that table; it may do what is in both.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec import Struct

from console.view.state import Run
from schemas.access import AccessRole, TokenScope


class May(Enum):
    """One thing that a role may do."""

    SEE = "see the workspace's pages"
    SEE_ALL = "see every run"
    READ_CONTENT = "read arguments and results"
    READ_LEDGER = "read the ledger's entries"
    EXPORT = "take the ledger away"
    REQUEST = "ask for runs"
    DECIDE = "answer questions"
    ENROL = "enrol a passkey of one's own"
    HALT = "halt one's own runs"
    HALT_ALL = "halt anything"
    RELEASE = "release halts"
    AUDIT = "read the record of sign-ins"


ROLES: Final[Mapping[AccessRole, frozenset[May]]] = {
    AccessRole.REP: frozenset({May.SEE, May.READ_CONTENT, May.REQUEST, May.HALT, May.ENROL}),
    AccessRole.APPROVER: frozenset(
        {
            *(May.SEE, May.SEE_ALL, May.READ_CONTENT, May.READ_LEDGER),
            *(May.DECIDE, May.ENROL, May.HALT, May.HALT_ALL),
        }
    ),
    AccessRole.AUDITOR: frozenset({May.SEE, May.SEE_ALL, May.READ_LEDGER, May.EXPORT, May.AUDIT}),
    AccessRole.ADMIN: frozenset(May) - {May.REQUEST},
}
"""An admin asks for no runs: those are signed with a rep's key."""

SCOPES: Final[Mapping[TokenScope, frozenset[May]]] = {
    TokenScope.READ: frozenset({May.SEE, May.SEE_ALL, May.READ_CONTENT}),
    TokenScope.REQUEST: frozenset({May.REQUEST}),
    TokenScope.APPROVE: frozenset({May.DECIDE}),
    TokenScope.HALT: frozenset({May.HALT, May.HALT_ALL}),
    TokenScope.EXPORT: frozenset({May.READ_LEDGER}),
    TokenScope.ADMIN: frozenset({May.RELEASE, May.AUDIT}),
}


class Visitor(Struct, frozen=True):
    """Who is there. `person` is whose key signs for them, empty for an auditor.

    `token` is the name of the API token they came with, empty for a browser; `only` what that
    token's scopes leave of the role, None for all of it.
    """

    account: str
    address: str
    role: AccessRole
    person: str
    session: str
    csrf: str
    token: str = ""
    only: frozenset[May] | None = None

    def may(self, what: May) -> bool:
        """Whether their role allows it, and their token if they have one."""
        return what in ROLES[self.role] and (self.only is None or what in self.only)

    def sees(self, run: Run) -> bool:
        """Whether this run is theirs to see."""
        return self.may(May.SEE_ALL) or (bool(self.person) and run.request.rep == self.person)
