"""Errors of the web console; each is an answer, with its HTTP status.

AnyTeamError
└── WebError            (400)
    ├── BadForm         400  what was sent is incomplete or out of form
    ├── SignInFirst     401  nobody is signed in
    ├── Forged          403  the request did not come from our own page
    ├── NotAllowed      403  this role may not
    │   └── NeedsPasskey  403  a passkey must approve this, and did not
    ├── NotHere         404  there is no such page, run, proposal or account
    ├── Outdated        409  it was decided already, or is over
    ├── LinkInvalid     410  the sign-in link was used, has expired, or is another browser's
    ├── TooMany         429  more attempts than the limit
    └── ProviderFailed  502  a sign-in provider is not there, or its answer does not verify
"""

from schemas.errors import AnyTeamError


class WebError(AnyTeamError):
    """Base of this package's errors."""

    status = 400
    title = "That did not work"


class BadForm(WebError):
    """What was sent is incomplete or out of form."""

    title = "Something is missing"


class SignInFirst(WebError):
    """Nobody is signed in, or their session is over."""

    status = 401
    title = "Sign in first"


class Forged(WebError):
    """The request did not come from one of our own pages."""

    status = 403
    title = "This did not come from the console"


class NotAllowed(WebError):
    """The role of who asks does not allow it."""

    status = 403
    title = "Not with your role"


class NeedsPasskey(NotAllowed):
    """What is to be approved needs a passkey's signature, and has none that is good."""

    title = "This needs your passkey"


class NotHere(WebError):
    """There is no such thing, or none that this person may know of."""

    status = 404
    title = "Not here"


class Outdated(WebError):
    """What was to be decided is decided or over."""

    status = 409
    title = "Too late"


class LinkInvalid(WebError):
    """A sign-in link that was used, has expired, or was asked for in another browser."""

    status = 410
    title = "This link does not open anything"


class TooMany(WebError):
    """More attempts than the limit; the account or address waits."""

    status = 429
    title = "Too many attempts"


class ProviderFailed(WebError):
    """The provider cannot be reached, or does not keep to its protocol."""

    status = 502
    title = "The sign-in provider did not answer as it should"
