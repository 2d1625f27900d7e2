"""Errors of the webhooks.

AnyTeamError
└── WebhookError
    ├── BadEndpoint            an endpoint's URL, filter, secret or TLS file is out of form
    ├── ForbiddenAddress       the URL's host is, or leads to, an address not to be connected to
    ├── NoEndpoint             there is no endpoint of that name
    ├── EndpointExists         there is one already
    ├── NothingToReplay        no such dead letter, or an index the ledger does not have yet
    ├── StoreTrouble           the webhooks' database cannot be read or written
    └── SecretUnreadable       a sealed secret does not open with this installation's key
"""

from schemas.errors import AnyTeamError


class WebhookError(AnyTeamError):
    """Base of this package's errors."""


class BadEndpoint(WebhookError):
    """What was asked for makes no endpoint; the message names the field."""

    exit_code = 2


class ForbiddenAddress(BadEndpoint):
    """The host is no public one, and the settings name no private network that it is in."""


class NoEndpoint(WebhookError):
    """No endpoint has that name."""

    exit_code = 2


class EndpointExists(WebhookError):
    """An endpoint of that name is there already."""

    exit_code = 2


class NothingToReplay(WebhookError):
    """There is nothing to send again."""

    exit_code = 2


class StoreTrouble(WebhookError):
    """The database of the webhooks cannot be opened, read or written."""

    exit_code = 3


class SecretUnreadable(WebhookError):
    """A secret was sealed under another key, for another endpoint, or is damaged."""
