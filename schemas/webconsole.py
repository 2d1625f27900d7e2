"""Settings of the web console: `[console]` in `anyteam.toml`, as data with its bounds.

Secrets are not among them: the mail server's password and the clients' secrets are in the
console's own folder (`anyteam console secret NAME`).
"""

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.names import Name

_CONFIDENTIAL = re.compile(
    r"https://[^\s?#@\\]+(?:\?[^\s#]*)?|http://(?:127\.0\.0\.1|localhost)(?::\d{1,5})?(?:/[^\s#]*)?"
)
_DOMAIN = r"^[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$(?!\n)"
_ORIGIN = re.compile(r"https://[a-z0-9.-]{1,253}(?::\d{1,5})?")


class ConsoleMail(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The SMTP server that carries sign-in links. `tls` none is for one on this machine only.

    `user` logs in with the secret `mail`; no login where it is empty. With `notices` those who can
    answer a question are told that it waits.
    """

    sender: Annotated[str, Meta(pattern=r"^[^@\s]+@[^@\s]+$(?!\n)")]
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)]
    tls: Literal["implicit", "starttls", "none"] = "implicit"
    user: str = ""
    notices: bool = True


class OidcProvider(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An OpenID provider (OpenID Connect Core 1.0), found by its `issuer`'s discovery document.

    `label` is what the button says. The client's secret is the secret of the provider's name.
    """

    issuer: str
    client_id: Annotated[str, Meta(min_length=1)]
    label: str = ""


class SamlProvider(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A SAML 2.0 identity provider, described by a `metadata` file beside the settings.

    It speaks for addresses of its `domains` alone. `address` is the attribute that holds a person's
    mail address; their NameID is it where that is empty. `label` is what the button says.
    """

    metadata: Annotated[str, Meta(min_length=1)]
    domains: Annotated[list[Annotated[str, Meta(pattern=_DOMAIN)]], Meta(min_length=1)]
    address: str = ""
    label: str = ""


class ConsoleSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the console listens (loopback), what it is called, and how people prove who they are.

    With `port` 0 a free one is chosen at the first start, and kept. `url` is the origin that
    people open, where that is another than `https://localhost:PORT`. `certificate` and `key` are
    PEM files; without them the installation makes its own. `api_per_min` is how many requests a
    token of the HTTP API may make in a minute.
    """

    port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    url: str = ""
    certificate: str = ""
    key: str = ""
    mail: ConsoleMail | None = None
    oidc: dict[Name, OidcProvider] = {}
    saml: dict[Name, SamlProvider] = {}
    session_h: Annotated[int, Meta(ge=1, le=168)] = 12
    idle_min: Annotated[int, Meta(ge=1, le=1_440)] = 60
    api_per_min: Annotated[int, Meta(ge=10, le=1_000_000)] = 600


def check_console(settings: ConsoleSettings) -> None:
    """Raises ValueError, naming the key, where the parts do not go together."""
    if settings.url and not _ORIGIN.fullmatch(settings.url):
        raise ValueError(f"console.url: {settings.url!r} is no https origin without a path")
    if bool(settings.certificate) != bool(settings.key):
        raise ValueError("console.certificate and console.key go together")
    mail = settings.mail
    if mail is not None and mail.tls == "none" and mail.host not in ("127.0.0.1", "localhost"):
        raise ValueError(f"console.mail.tls is none, and console.mail.host is {mail.host!r}")
    for name, provider in settings.oidc.items():
        if not confidential(provider.issuer):
            raise ValueError(f"console.oidc.{name}.issuer: {provider.issuer!r} is no https address")
    for name in settings.saml.keys() & settings.oidc.keys():
        raise ValueError(f"console.saml.{name}: a provider of console.oidc has that name")


def confidential(url: str) -> bool:
    """Whether what is sent to `url` goes over TLS, or does not leave this machine."""
    return bool(_CONFIDENTIAL.fullmatch(url))
