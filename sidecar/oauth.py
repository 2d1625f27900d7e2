"""OAuth 2 for the sidecar: a rep's consent once, then a token of its own for each action.

Authorization code with PKCE (RFC 6749, RFC 7636), a loopback redirect (RFC 8252), refreshing
with the narrowest scope that the tool needs (RFC 6749 section 6), revocation (RFC 7009). A
token that could do more than was asked for is not used. Authlib speaks the protocol; no
answer of the server's is quoted but its error code.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import httpx2
import msgspec
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from msgspec import Struct

from schemas.connectors import OAuthSettings
from sidecar.connectors.tls import system_roots
from sidecar.errors import Denied, Garbled, Unreachable
from sidecar.vault.credentials import Grant, Veiled

TIMEOUT_S: Final = 15.0
_CODE: Final = re.compile(r"[a-z_]{1,64}")


class Asking(Veiled, frozen=True):
    """A consent that is being asked for: the page to open, and what proves the answer ours."""

    url: str
    state: str
    verifier: str
    redirect: str


class Minted(Veiled, frozen=True):
    """A token for one action, and the grant as it is from now on."""

    access_token: str
    grant: Grant


class _Answer(Struct, frozen=True):
    access_token: str
    token_type: str
    refresh_token: str = ""
    scope: str | None = None


def ask(settings: OAuthSettings, redirect: str) -> Asking:
    """Where a person consents. `redirect` is the loopback address that the answer comes to."""
    verifier = generate_token(64)
    client = _client(settings, "", redirect)
    url, state = client.create_authorization_url(settings.authorize_url, code_verifier=verifier)
    return Asking(url=str(url), state=str(state), verifier=verifier, redirect=redirect)


async def consent(
    settings: OAuthSettings, asking: Asking, answer: str, client_secret: str = ""
) -> Grant:
    """The grant that `answer`, the whole redirected address, stands for.

    Raises `Denied` where the person or the server said no, or the answer is not to our question.
    """
    said = httpx2.URL(answer).params
    if "code" not in said:
        raise _refused(said.get("error", ""))
    async with _client(settings, client_secret, asking.redirect, state=asking.state) as client:
        token = await _spoken(
            lambda: client.fetch_token(
                settings.token_url,
                authorization_response=answer,
                code_verifier=asking.verifier,
                state=asking.state,
            )
        )
    if not token.refresh_token:
        raise Denied(
            "the authorisation server gave no refresh token",
            fix="add the scope by which it gives one (often offline_access) to the settings",
        )
    scopes = tuple(token.scope.split()) if token.scope is not None else settings.scopes
    return Grant(refresh_token=token.refresh_token, scopes=scopes, client_secret=client_secret)


async def mint(settings: OAuthSettings, grant: Grant, scopes: tuple[str, ...]) -> Minted:
    """A token that may do `scopes` and no more.

    Raises `Denied` where the grant is void, does not hold them, or the server gives more than
    was asked for; `Unreachable` or `Garbled` where the server is not there or off its protocol.
    """
    missing = sorted(set(scopes) - set(grant.scopes))
    if missing:
        raise Denied(
            f"the rep's consent does not hold {', '.join(missing)}", fix="connect it again"
        )
    async with _client(settings, grant.client_secret) as client:
        token = await _spoken(
            lambda: client.refresh_token(
                settings.token_url, refresh_token=grant.refresh_token, scope=" ".join(scopes)
            )
        )
    given = set(token.scope.split()) if token.scope is not None else set(scopes)
    kept = grant
    if token.refresh_token and token.refresh_token != grant.refresh_token:
        kept = msgspec.structs.replace(grant, refresh_token=token.refresh_token)
    if not given <= set(scopes):
        raise TooWide(kept)
    return Minted(access_token=token.access_token, grant=kept)


async def revoke(settings: OAuthSettings, token: str, kind: str, client_secret: str = "") -> None:
    """Tell the server that a token is over; `kind` is `access_token` or `refresh_token`.

    Raises `Unreachable` or `Denied`; does nothing where the server has no such endpoint.
    """
    if not settings.revoke_url:
        return
    async with _client(settings, client_secret) as client:
        try:
            answer = await client.revoke_token(  # type: ignore[no-untyped-call]
                settings.revoke_url, token=token, token_type_hint=kind
            )
        except httpx2.HTTPError as error:
            raise _unreachable(error) from None
    if answer.status_code != httpx2.codes.OK:
        raise Denied(f"the authorisation server did not revoke the token ({answer.status_code})")


class TooWide(Denied):
    """The server gave a token that may do more than was asked for. Holds the renewed grant."""

    def __init__(self, grant: Grant) -> None:
        super().__init__(
            "the authorisation server gives tokens that may do more than this action needs",
            fix="let it narrow scopes on refresh, or list all of them for the tool",
        )
        self.grant = grant


def _client(
    settings: OAuthSettings,
    client_secret: str,
    redirect: str | None = None,
    state: str | None = None,
) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        client_id=settings.client_id,
        client_secret=client_secret or None,
        token_endpoint_auth_method="client_secret_basic" if client_secret else "none",
        redirect_uri=redirect,
        scope=" ".join(settings.scopes) if redirect is not None else None,
        state=state,
        code_challenge_method="S256",
        verify=system_roots(),
        trust_env=False,
        follow_redirects=False,
        timeout=TIMEOUT_S,
    )


async def _spoken(ask: Callable[[], Awaitable[Mapping[str, object]]]) -> _Answer:
    """The token endpoint's answer. Nothing is chained: the causes' frames hold tokens."""
    try:
        token = msgspec.convert(dict(await ask()), _Answer)
    except AuthlibBaseError as error:
        raise _refused(str(error.error or "")) from None
    except httpx2.HTTPStatusError as error:
        raise Unreachable(
            f"the authorisation server failed ({error.response.status_code})"
        ) from None
    except httpx2.HTTPError as error:
        raise _unreachable(error) from None
    except (ValueError, TypeError):
        raise Garbled("the authorisation server's answer is no token") from None
    if token.token_type.lower() != "bearer":
        raise Garbled("the authorisation server gave something else than a bearer token")
    return token


def _refused(code: str) -> Denied:
    said = code if _CODE.fullmatch(code) else "an error"
    return Denied(f"the authorisation server refused: {said}", fix="connect the credential again")


def _unreachable(error: httpx2.HTTPError) -> Unreachable:
    return Unreachable(f"the authorisation server cannot be reached: {type(error).__name__}")
