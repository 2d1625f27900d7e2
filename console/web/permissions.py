"""What each role may do in the console: the one table behind every route and every button."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec import Struct

from console.view.state import Run
from schemas.access import AccessRole


class May(Enum):
    """One thing that a role may do."""

    SEE = "see the workspace's pages"
    SEE_ALL = "see every run"
    READ_CONTENT = "read arguments and results"
    REQUEST = "ask for runs"
    DECIDE = "answer questions"
    HALT = "halt one's own runs"
    HALT_ALL = "halt anything"
    RELEASE = "release halts"
    AUDIT = "read the record of sign-ins"


ROLES: Final[Mapping[AccessRole, frozenset[May]]] = {
    AccessRole.REP: frozenset({May.SEE, May.READ_CONTENT, May.REQUEST, May.HALT}),
    AccessRole.APPROVER: frozenset(
        {May.SEE, May.SEE_ALL, May.READ_CONTENT, May.DECIDE, May.HALT, May.HALT_ALL}
    ),
    AccessRole.AUDITOR: frozenset({May.SEE, May.SEE_ALL, May.AUDIT}),
    AccessRole.ADMIN: frozenset(May) - {May.REQUEST},
}
"""An admin asks for no runs: those are signed with a rep's key."""


class Visitor(Struct, frozen=True):
    """Who is signed in. `person` is whose key signs for them, empty for an auditor."""

    account: str
    address: str
    role: AccessRole
    person: str
    session: str
    csrf: str

    def may(self, what: May) -> bool:
        """Whether their role allows it."""
        return what in ROLES[self.role]

    def sees(self, run: Run) -> bool:
        """Whether this run is theirs to see."""
        return self.may(May.SEE_ALL) or (bool(self.person) and run.request.rep == self.person)
