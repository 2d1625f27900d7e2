"""Who may use the web console, and the events about it.

The ledger names accounts, never mail addresses: which address an account has is known to the
console's own store alone, where it can be erased. A grant is an admin's signed word, so the
console cannot widen what anybody may do in it.
"""

from enum import Enum
from typing import Annotated

from msgspec import Meta

from schemas.names import Digest, Name, Nanoseconds, Text
from schemas.runs import Body

Account = Annotated[str, Meta(pattern=r"^u-[0-9a-f]{16}$(?!\n)", description="an opaque account")]
SessionName = Annotated[str, Meta(pattern=r"^s-[0-9a-f]{16}$(?!\n)", description="a session")]

TokenName = Annotated[str, Meta(pattern=r"^t-[0-9a-f]{16}$(?!\n)", description="an API token")]


class AccessRole(Enum):
    """What a person may do in the console of this workspace.

    REP sees and stops their own runs and asks for new ones; APPROVER sees all, answers
    questions and halts; AUDITOR reads and exports, and sees no content; ADMIN does everything.
    """

    REP = "rep"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"


class AccessGranted(Body, frozen=True, tag="access.granted"):
    """An account may use the console from here on, in `role` and no other.

    `person` is the rep or admin with whose key the console signs what they decide there, empty
    for an auditor, who decides nothing.
    """

    account: Account
    role: AccessRole
    person: Name | None = None


class AccessRevoked(Body, frozen=True, tag="access.revoked"):
    """The account may do nothing from here on; its sessions are over."""

    account: Account
    reason: Text


class SessionOpened(Body, frozen=True, tag="session.opened"):
    """Somebody proved to be the account's holder; `method`: `link`, `oidc/NAME`, `saml/NAME`."""

    account: Account
    session: SessionName
    method: Text


class SessionClosed(Body, frozen=True, tag="session.closed"):
    """The session is over before its time."""

    account: Account
    session: SessionName
    reason: Text


class SignInLocked(Body, frozen=True, tag="sign_in.locked"):
    """Too many failed attempts to prove to be the account's holder; none counts for a while."""

    account: Account
    reason: Text


class TokenScope(Enum):
    """What a token of the HTTP API is good for, within what its account's role may do.

    READ sees what the pages show; REQUEST asks for runs; APPROVE answers questions; HALT stops;
    EXPORT reads the ledger's entries, seals and proofs; ADMIN releases halts and reads the record
    of sign-ins.
    """

    READ = "read"
    REQUEST = "request"
    APPROVE = "approve"
    HALT = "halt"
    EXPORT = "export"
    ADMIN = "admin"


class TokenIssued(Body, frozen=True, tag="token.issued"):
    """Whoever holds the token of this SHA-256 may use the HTTP API as `account`, until `expires`.

    `scopes` narrow what the account's role allows, and widen nothing. The token itself, 256 bits of
    chance, is kept nowhere.
    """

    account: Account
    token: TokenName
    label: Text
    digest: Digest
    scopes: Annotated[tuple[TokenScope, ...], Meta(min_length=1)]
    expires: Nanoseconds


class TokenRevoked(Body, frozen=True, tag="token.revoked"):
    """The token opens nothing from here on."""

    token: TokenName
    reason: Text
