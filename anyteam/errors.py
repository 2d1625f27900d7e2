"""Errors of a run in a Python program, and of the client of the HTTP API.

AnyTeamError
├── ApiError                the API could not be asked, or said no
│   ├── Unreachable         no answer came; for a write it is not known whether it stands
│   └── Refused             a problem (RFC 9457): `status`, `kind`
└── RunError
    ├── RunNotStarted       the run was refused, or ended before it began
    └── CallError           a call has no confirmed outcome; holds its proposal
        ├── CallHeld        a person must decide; call again with the same arguments
        ├── CallRefused     the gate refused it, or the lease has no such tool
        ├── CallFailed      it was let through, and did not happen
        └── OutcomeUnknown  it may have happened; not to be done again
"""

from schemas.errors import AnyTeamError


class RunError(AnyTeamError):
    """Base of this package's errors."""


class RunNotStarted(RunError):
    """The run was refused, or ended before it began."""


class CallError(RunError):
    """A call has no confirmed outcome. `proposal` is its digest, empty where none was made."""

    def __init__(self, what: str, *, fix: str = "", proposal: str = "") -> None:
        super().__init__(what, fix=fix)
        self.proposal = proposal


class CallHeld(CallError):
    """A person must decide. The same call again waits for, or finds, what they said."""


class CallRefused(CallError):
    """The gate refused it, or the lease has no such tool. Nothing was done."""


class CallFailed(CallError):
    """It was let through, and the tool or the run came to nothing."""


class OutcomeUnknown(CallError):
    """It may have happened, and only a person can find out. Not to be done again."""


class ApiError(AnyTeamError):
    """The API could not be asked, or said no."""


class Unreachable(ApiError):
    """No answer came, or none of the API's. For a write it is not known whether it stands."""


class Refused(ApiError):
    """The API's own word. `status` is HTTP's, `kind` the end of the problem's type (RFC 9457)."""

    def __init__(self, what: str, *, fix: str, status: int, kind: str) -> None:
        super().__init__(what, fix=fix)
        self.status = status
        self.kind = kind
