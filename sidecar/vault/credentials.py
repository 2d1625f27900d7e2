"""Credentials: what opens a tool. None of them shows its value, and none can be pickled."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, NoReturn

from msgspec import Meta, Struct

MAX_CHARACTERS: Final = 16_384

Value = Annotated[str, Meta(min_length=1, max_length=MAX_CHARACTERS)]


class Veiled(Struct, frozen=True):
    """Base of what must not be shown: not in a message, a traceback or a debugger's line."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not serialised; seal them in a vault")


class Secret(Veiled, frozen=True, tag="secret"):
    """A password, an API key, or a token that does not expire."""

    value: Value


class Grant(Veiled, frozen=True, tag="grant"):
    """A rep's consent by OAuth 2 (RFC 6749): tokens for single actions are minted from it.

    `scopes` are those that were consented to. `client_secret` is empty for a public client.
    """

    refresh_token: Value
    scopes: tuple[str, ...] = ()
    client_secret: Annotated[str, Meta(max_length=MAX_CHARACTERS)] = ""


Credential = Secret | Grant


class Credentials:
    """The secrets that one action may use, by name. Shows its names and never its values."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def get(self, name: str, default: str = "") -> str:
        """The secret `name`, or `default` where there is none."""
        return self._values.get(name, default)

    def names(self) -> tuple[str, ...]:
        """Which secrets there are, sorted."""
        return tuple(sorted(self._values))

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __repr__(self) -> str:
        return f"Credentials({', '.join(self.names())})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("credentials are not serialised; seal them in a vault")
