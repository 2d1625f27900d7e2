"""Errors of the HTTP API beside those of the pages; each is a problem with its HTTP status.

WebError
└── ApiError             400
    ├── BadRequest       400  a parameter, a cursor or the JSON is out of form
    ├── KeyMissing       400  a write without a usable Idempotency-Key
    ├── TokenInvalid     401  no token, or one that opens nothing
    ├── NotOffered       405  the resource has no such method
    ├── StillUnderWay    409  the same write is being done right now
    ├── Uncertain        409  the same write may or may not stand
    ├── TooLarge         413  more than a request may hold
    ├── WrongType        415  the body is no JSON by its own word
    ├── Unfit            422  the JSON does not fit the operation; names the field
    ├── KeyReused        422  the Idempotency-Key was of another write
    └── Slower           429  more requests than the limit; `wait_s` says for how long
"""

from console.web.errors import WebError


class ApiError(WebError):
    """Base of this package's errors."""

    title = "Bad request"


class BadRequest(ApiError):
    """A parameter, a cursor or the JSON is out of form."""


class KeyMissing(ApiError):
    """A write came without a usable Idempotency-Key."""

    title = "Idempotency-Key is missing"


class TokenInvalid(ApiError):
    """No token, or one that is made up, expired, revoked, or of somebody without access."""

    status = 401
    title = "A token is needed"


class NotOffered(ApiError):
    """The resource has no such method."""

    status = 405
    title = "No such method"


class StillUnderWay(ApiError):
    """The same write is being done right now."""

    status = 409
    title = "Still under way"


class Uncertain(ApiError):
    """The same write began, and whether it stands is not known here."""

    status = 409
    title = "It is not known whether it was done"


class TooLarge(ApiError):
    """More than a request may hold."""

    status = 413
    title = "Too large"


class WrongType(ApiError):
    """The body is no JSON by its own word."""

    status = 415
    title = "Only application/json is read"


class Unfit(ApiError):
    """The JSON does not fit what the operation takes."""

    status = 422
    title = "The body does not fit"


class KeyReused(ApiError):
    """The Idempotency-Key was used for another write."""

    status = 422
    title = "Idempotency-Key was used already"


class Slower(ApiError):
    """More requests than the limit."""

    status = 429
    title = "Too many requests"

    def __init__(self, what: str, *, fix: str, wait_s: int) -> None:
        super().__init__(what, fix=fix)
        self.wait_s = wait_s
