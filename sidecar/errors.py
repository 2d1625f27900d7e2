"""Errors of the sidecar: its vault, its connectors, its model gateway.

AnyTeamError
└── SidecarError
    ├── ModelsMissing          a model is configured, its library is not installed
    ├── McpMissing             an MCP server is configured, the library is not installed
    ├── VaultError             the credentials cannot be sealed or opened
    └── ConnectorError         a tool did not do what it was asked
        ├── BadConnector       its settings cannot be used, or two tools share a name
        ├── BadArguments       arguments out of the tool's own schema
        ├── BadTarget          the target is not there, or is nothing the tool may touch
        │   └── OutsideFolder  a path that leaves its folder, or is not plain
        ├── Denied             the credential is missing or was refused
        ├── TargetRefused      the far side said no; nothing was done
        │   ├── Busy           it has no room for us now
        │   └── ToolChanged    an MCP server's tool is another than was pinned
        ├── Unreachable        the far side cannot be reached; nothing was done
        ├── Garbled            the far side answered off its protocol
        └── Unanswered         it was sent, and no answer came

What a connector's error says ends up in the ledger in the clear: it quotes neither
arguments nor answers.
"""

from schemas.errors import AnyTeamError


class SidecarError(AnyTeamError):
    """Base of this package's errors."""


class ModelsMissing(SidecarError):
    """A model is configured and the library that calls it is not installed."""

    exit_code = 2


class McpMissing(SidecarError):
    """An MCP server is configured and the library that speaks MCP is not installed."""

    exit_code = 2


class VaultError(SidecarError):
    """The vault cannot be sealed or opened: damaged, another workspace's, or too open."""

    exit_code = 2


class ConnectorError(SidecarError):
    """A tool did not do what it was asked.

    `before_effect` says that nothing was done or sent under the key in question. Where it is
    False the far side may have acted, and only the far side can say.
    """

    before_effect = True


class BadConnector(ConnectorError):
    """A connector cannot be set up as configured."""

    exit_code = 2


class BadArguments(ConnectorError):
    """The arguments do not fit the tool, although a gate should have let only such through."""


class BadTarget(ConnectorError):
    """The target is missing, or of a kind that the tool does not touch."""


class OutsideFolder(BadTarget):
    """The path is absolute, climbs, crosses a symbolic link, or has a forbidden name."""


class Denied(ConnectorError):
    """No credential for this tool, or the far side refused the one there is."""


class TargetRefused(ConnectorError):
    """The far side understood, declined, and did nothing."""


class Busy(TargetRefused):
    """The far side turned the request away for its rate; `wait_s` is when it may be asked again."""

    def __init__(self, what: str, *, wait_s: float) -> None:
        super().__init__(what, fix=f"wait {wait_s:.0f} s, or raise the limit at the far side")
        self.wait_s = wait_s


class ToolChanged(TargetRefused):
    """An MCP server says something else of a tool than when a person pinned it. Not called."""

    exit_code = 1


class Unreachable(ConnectorError):
    """The far side cannot be reached, or was silent on a read. Nothing was done."""


class Garbled(ConnectorError):
    """The far side answered something that its protocol does not know."""

    before_effect = False


class Unanswered(ConnectorError):
    """The request may have arrived, and no answer to it did."""

    before_effect = False
