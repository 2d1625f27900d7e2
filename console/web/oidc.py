"""Signing in at an OpenID provider: authorization code with PKCE, and a token that is verified.

OpenID Connect Core 1.0 section 3.1, Discovery 1.0, RFC 7636. Authlib speaks OAuth, joserfc verifies
the ID token: issuer, audience, time, nonce, and a signature by a key of the issuer's. The answer
counts only in the browser that was sent there. No answer of the provider's is quoted.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from msgspec import Struct

from console.web.errors import LinkInvalid, NotAllowed, NotHere, ProviderFailed
from console.web.identity import Identity
from crypto.keyfile import read_secret
from schemas.webconsole import OidcProvider, confidential
from sidecar.connectors.tls import system_roots

TIMEOUT_S: Final = 15.0
PENDING_S: Final = 600
MOST_PENDING: Final = 1_000
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
_LEEWAY_S: Final = 60


class _Pending(Struct, frozen=True):
    provider: str
    browser: bytes
    verifier: str
    nonce: str
    ends: float


class Providers:
    """The configured providers. `folder` holds their clients' secrets; `origin` is our own."""

    def __init__(
        self,
        settings: dict[str, OidcProvider],
        folder: Path,
        origin: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._origin = origin
        self._clock = clock
        self._pending: dict[str, _Pending] = {}

    async def begin(self, name: str, browser: str) -> str:
        """Where to send the browser. Raises `NotHere` or `ProviderFailed`."""
        provider = self._provider(name)
        found = await _discovered(provider)
        verifier, nonce = generate_token(64), generate_token(32)
        client = self._client(name, provider)
        url, state = client.create_authorization_url(
            found["authorization_endpoint"], code_verifier=verifier, nonce=nonce
        )
        now = self._clock()
        fresh = {key: one for key, one in self._pending.items() if one.ends > now}
        while len(fresh) >= MOST_PENDING:
            fresh.pop(next(iter(fresh)))
        self._pending = fresh
        pending = _Pending(name, _digest(browser), verifier, nonce, now + PENDING_S)
        self._pending[str(state)] = pending
        return str(url)

    async def finish(self, name: str, answer: str, state: str, browser: str) -> Identity:
        """Who `answer`, the whole address that the browser came back to, speaks of.

        Raises `LinkInvalid` where this browser was not sent there, `NotAllowed` where the provider
        or the person said no, `ProviderFailed` where the answer does not verify.
        """
        provider = self._provider(name)
        pending = self._pending.pop(state, None)
        ours = (
            pending is not None
            and pending.provider == name
            and pending.ends > self._clock()
            and hmac.compare_digest(pending.browser, _digest(browser))
        )
        if pending is None or not ours:
            raise LinkInvalid(
                "this sign-in was not begun in this browser, or too long ago",
                fix="begin it here again",
            )
        found = await _discovered(provider)
        async with self._client(name, provider, state) as client:
            try:
                token = await client.fetch_token(
                    found["token_endpoint"],
                    authorization_response=answer,
                    code_verifier=pending.verifier,
                    state=state,
                )
            except AuthlibBaseError:
                raise NotAllowed(
                    "the provider did not sign you in", fix="try again, or use a link"
                ) from None
            except httpx2.HTTPError as error:
                raise _failed(error) from None
        keys = await _fetched(found["jwks_uri"])
        return _verified(str(dict(token).get("id_token", "")), keys, provider, pending.nonce)

    def _provider(self, name: str) -> OidcProvider:
        if name not in self._settings:
            raise NotHere("there is no such provider", fix="sign in by a link")
        return self._settings[name]

    def _client(
        self, name: str, provider: OidcProvider, state: str | None = None
    ) -> AsyncOAuth2Client:
        file = self._folder / f"{name}.secret"
        secret = read_secret(file).decode().strip() if file.exists() else ""
        return AsyncOAuth2Client(
            client_id=provider.client_id,
            client_secret=secret or None,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            redirect_uri=f"{self._origin}/sign-in/back/{name}",
            scope="openid email",
            state=state,
            code_challenge_method="S256",
            verify=system_roots(),
            trust_env=False,
            follow_redirects=False,
            timeout=TIMEOUT_S,
        )


async def _discovered(provider: OidcProvider) -> dict[str, str]:
    """The provider's own description (Discovery 1.0 section 4)."""
    found = await _fetched(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if found.get("issuer") != provider.issuer:
        raise ProviderFailed("the provider calls itself by another issuer than the settings")
    ends = {key: found.get(key) for key in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    told = {key: url for key, url in ends.items() if isinstance(url, str) and confidential(url)}
    if len(told) != len(ends):
        raise ProviderFailed("the provider's description lacks an https endpoint")
    return told


async def _fetched(url: str) -> dict[str, Any]:
    try:
        async with httpx2.AsyncClient(
            verify=system_roots(), trust_env=False, follow_redirects=False, timeout=TIMEOUT_S
        ) as client:
            answer = await client.get(url)
            answer.raise_for_status()
            said = answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        raise _failed(error) from None
    if not isinstance(said, dict):
        raise ProviderFailed("the provider's description is no object")
    return said


def _verified(text: str, keys: dict[str, Any], provider: OidcProvider, nonce: str) -> Identity:
    """Core 1.0 section 3.1.3.7."""
    registry = jwt.JWTClaimsRegistry(
        leeway=_LEEWAY_S,
        iss={"essential": True, "value": provider.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": provider.client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        token = jwt.decode(text, KeySet.import_key_set(keys), algorithms=_ALGORITHMS)  # type: ignore[arg-type]
        registry.validate(token.claims)
    except (JoseError, ValueError, KeyError, TypeError):
        raise ProviderFailed(
            "the provider's token does not verify", fix="try again; if it stays so, tell an admin"
        ) from None
    claims = token.claims
    if claims.get("azp", provider.client_id) != provider.client_id:
        raise ProviderFailed("the provider's token is for another client")
    address = claims.get("email")
    if not isinstance(address, str) or claims.get("email_verified") is not True:
        raise NotAllowed(
            "the provider has not verified your mail address", fix="verify it there, or use a link"
        )
    return Identity(address, f"{provider.issuer} {claims['sub']}")


def _failed(error: Exception) -> ProviderFailed:
    return ProviderFailed(
        f"the provider cannot be reached: {type(error).__name__}", fix="use a link, or try later"
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
