"""Settings of a service over HTTP that is described by OpenAPI: what agents may use of it, and how.

The description says what the service offers. Everything that the gate goes by is said here, by
those whose workspace it is: effect, parts of the arguments, trust, and how an effect is seen.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.compensation import Compensation
from schemas.names import Classification
from schemas.tools import Effect, Reach, Trust


class ReadBackSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an effect is seen at the service: another operation, asked with `arguments`.

    A value `$key` is the effect's key, `$NAME` its argument of that name, anything else itself.
    `found` is a JSON pointer (RFC 6901) to the record in the answer; `holds` are pointers below it
    and what must stand there. With `absent_404` an answer 404 says that there is none.
    """

    operation: str
    arguments: dict[str, str]
    found: str = ""
    holds: Annotated[dict[str, str], Meta(min_length=1)]
    absent_404: bool = False


class OperationSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One operation of an HTTP API as a tool; see `schemas.tools.Tool` for what is not said here.

    `omit` leaves out optional arguments, `fixed` sets some; the agent sees neither. `keep` are the
    members of the answer that are handed on. `key` is where the effect's key goes: `header:NAME`
    or `argument:NAME`. `confirm = "answer"` takes the service's yes for the deed.
    """

    effect: Effect | None = None
    summary: Annotated[str, Meta(max_length=300)] = ""
    destinations: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    trust: Trust = Trust.UNTRUSTED
    trusted: tuple[str, ...] = ()
    classification: Classification = Classification.CONFIDENTIAL
    asked_by: tuple[str, ...] = ()
    reach: Reach = Reach.BY_ADDRESS
    ceiling: Classification = Classification.CONFIDENTIAL
    cost: Annotated[int, Meta(ge=0)] = 0
    omit: tuple[str, ...] = ()
    fixed: dict[str, str | int | bool] = {}
    keep: tuple[str, ...] = ()
    compensation: Compensation | None = None
    key: Annotated[
        str, Meta(pattern=r"^((header|argument):[A-Za-z_][A-Za-z0-9_.-]{0,63})?$(?!\n)")
    ] = ""
    confirm: Literal["none", "answer"] = "none"
    read: ReadBackSettings | None = None


class HttpApiSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A service over HTTP by its OpenAPI description, a file whose SHA-256 is `sha256`, in hex.

    Only `operations`, by their operationId, become tools. The credential is the vault's
    `http-NAME`; it goes into `header`: as a bearer token into `Authorization`, as it is into
    another, and nowhere where it is empty.
    """

    url: str
    description: str
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    header: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{0,64}$(?!\n)")] = "Authorization"
    operations: Annotated[dict[str, OperationSettings], Meta(min_length=1)]
