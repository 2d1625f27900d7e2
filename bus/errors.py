"""Errors of the bus: its server, its identities, and reading and writing on it.

AnyTeamError
└── BusError
    ├── ServerError                the nats-server we start ourselves
    │   ├── ServerMissing          no nats-server binary on this machine
    │   ├── PortTaken              the asked-for port is in use
    │   ├── StartFailed            it ended, or did not answer, before it was ready
    │   └── StopFailed             it is still there after being killed
    ├── IdentityError              a key, token or credentials file that is no use
    ├── ProvisionError             the server did not take an account or a stream
    ├── ConnectionRefused          this identity cannot connect, or can no longer
    ├── PermissionDenied           the server refused one subject to this identity
    ├── ConnectionTrouble          the connection was lost or is slow; the client goes on
    ├── StreamUnavailable          a stream, or the permission to read it, is missing
    │   └── ConsumerThere          a consumer of that name reads there from another place
    ├── PublishRefused             the stream refused an event: nothing was recorded
    ├── OutboxFull                 an event that cannot be kept, and so is not published
    ├── ContentKeyMissing          content must be sealed and its run's key is not here
    ├── ArchiveError               an archived epoch that cannot be written or read
    ├── BadSnapshot                a snapshot that is not this component's, or of other code
    └── LedgerDiverged             the stream is not the one this process has folded
"""

from schemas.errors import AnyTeamError


class BusError(AnyTeamError):
    """Base of this package's errors."""


class ServerError(BusError):
    """The nats-server that this process starts."""

    exit_code = 3


class ServerMissing(ServerError):
    """There is no nats-server binary beside the interpreter or on the PATH."""


class PortTaken(ServerError):
    """Another process listens on the port that was asked for."""


class StartFailed(ServerError):
    """The server ended or kept silent before it was ready; quotes its own last words."""


class StopFailed(ServerError):
    """The server outlived SIGTERM and SIGKILL."""


class IdentityError(BusError):
    """A key, token or credentials file that cannot serve as an identity."""

    exit_code = 2


class ProvisionError(BusError):
    """The server refused an account claim or a stream; quotes its answer."""

    exit_code = 3


class ConnectionRefused(BusError):
    """The server does not take this identity: unknown, expired or revoked."""


class PermissionDenied(BusError):
    """The server refused a publish or subscription on one subject to this identity."""


class ConnectionTrouble(BusError):
    """The connection was lost or is slow. The client keeps trying by itself."""


class StreamUnavailable(BusError):
    """The stream, or the permission to read it, is missing."""

    exit_code = 3


class ConsumerThere(StreamUnavailable):
    """A consumer of that name is there, and it is another one."""


class PublishRefused(BusError):
    """The stream refused an event (permission, full disk, size): nothing was recorded."""


class OutboxFull(BusError):
    """A producer's outbox cannot be written."""

    exit_code = 3


class ContentKeyMissing(BusError):
    """Content of this classification leaves only sealed, and its run's key is not here."""


class ArchiveError(BusError):
    """An archive of epochs that is damaged, incomplete, or cannot be written."""


class BadSnapshot(BusError):
    """A snapshot that cannot be used. Never fatal: the ledger is folded from its beginning."""


class LedgerDiverged(BusError):
    """The stream no longer continues what this process has folded and verified."""
