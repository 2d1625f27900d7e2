"""The life of a sign-in at a SAML provider: asked for, answered once, entered in the same browser.

SAML 2.0 Profiles section 4.1: a request by HTTP-Redirect, the answer by HTTP-POST. That POST comes
from the provider's page, so the browser sends none of our cookies with it (they are SameSite): the
answer is verified there, and counts when the browser that asked comes back with its ticket by GET.
A provider speaks for the domains that the settings give it, and for no other address.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from console.web.errors import LinkInvalid, NotAllowed, NotHere, ProviderFailed
from console.web.identity import Identity
from console.web.saml.description import Description, own_description, read_description
from schemas.webconsole import SamlProvider

PENDING_S: Final = 600
TICKET_S: Final = 60
MOST_PENDING: Final = 1_000


class _Asked(Struct, frozen=True):
    provider: str
    browser: bytes
    ends: float


class _Answered(Struct, frozen=True):
    provider: str
    browser: bytes
    identity: Identity
    ends: float


_Kept = TypeVar("_Kept", _Asked, _Answered)


class SamlProviders:
    """The configured providers. Metadata files are beside the settings, in `folder`; `origin` is
    our own. A file is read at each sign-in, so that a provider's new certificate needs no restart.
    """

    def __init__(
        self,
        settings: dict[str, SamlProvider],
        folder: Path,
        origin: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._origin = origin
        self._clock = clock
        self._asked: dict[str, _Asked] = {}
        self._answered: dict[str, _Answered] = {}

    def entity(self, name: str) -> str:
        """What we are called at this provider; our metadata is there to be read."""
        return f"{self._origin}/sign-in/saml/{name}"

    def metadata(self, name: str) -> str:
        """Our own description, for the provider's admin. Raises `NotHere`."""
        self._provider(name)
        return own_description(self.entity(name), self._consumer(name))

    def begin(self, name: str, browser: str) -> str:
        """Where to send the browser. Raises `NotHere` or `ProviderFailed`."""
        described = self._described(name)
        _installed()
        from minisaml.request import get_request_redirect_url

        # An XML name: the provider hands it back inside what it signs.
        request = f"_{secrets.token_hex(24)}"
        ends = self._clock() + PENDING_S
        self._asked = _with(
            self._asked, request, _Asked(name, _digest(browser), ends), self._clock()
        )
        return get_request_redirect_url(
            saml_endpoint=described.sign_on,
            expected_audience=self.entity(name),
            acs_url=self._consumer(name),
            request_id=request,
        )

    def answered(self, name: str, text: str) -> str:
        """Verify the provider's answer; a ticket for the browser that asked.

        An answer counts once: what it answers is struck off. Raises `LinkInvalid` where nobody
        asked, `NotAllowed` where the provider said no or speaks for whom it may not,
        `ProviderFailed` where the answer does not verify.
        """
        provider, described = self._provider(name), self._described(name)
        _installed()
        from console.web.saml.answers import Expected, asserted

        now = self._clock()
        expected = Expected(described, self.entity(name), self._consumer(name))
        said = asserted(text, expected, now)
        asked = self._asked.pop(said.request, None)
        if asked is None or asked.provider != name or asked.ends <= now:
            raise _not_begun()
        address = said.attributes.get(provider.address, "") if provider.address else said.name
        if address.rpartition("@")[2].casefold() not in provider.domains:
            raise NotAllowed(
                "the provider does not speak for this address's domain",
                fix=f"use a link, or have an admin see to console.saml.{name}.domains",
            )
        identity = Identity(address, f"{described.entity} {said.name}")
        ticket = secrets.token_urlsafe(32)
        answered = _Answered(name, asked.browser, identity, now + TICKET_S)
        self._answered = _with(self._answered, ticket, answered, now)
        return ticket

    def enter(self, name: str, ticket: str, browser: str) -> Identity:
        """Who the ticket's bearer is. Raises `LinkInvalid` in a browser that did not ask."""
        found = self._answered.pop(ticket, None)
        if (
            found is None
            or found.provider != name
            or found.ends <= self._clock()
            or not hmac.compare_digest(found.browser, _digest(browser))
        ):
            raise _not_begun()
        return found.identity

    def _provider(self, name: str) -> SamlProvider:
        if name not in self._settings:
            raise NotHere("there is no such provider", fix="sign in by a link")
        return self._settings[name]

    def _described(self, name: str) -> Description:
        return read_description(self._folder / self._provider(name).metadata)

    def _consumer(self, name: str) -> str:
        return f"{self.entity(name)}/acs"


def _installed() -> None:
    try:
        import minisaml.response  # noqa: F401
    except ImportError:
        raise ProviderFailed(
            "signing in by SAML needs a package that is not installed",
            fix="an admin installs it: pip install 'anyteam-trust[saml]'",
        ) from None


def _with(kept: dict[str, _Kept], key: str, value: _Kept, now: float) -> dict[str, _Kept]:
    """`kept` and one more, without those that ended, and never more than `MOST_PENDING`."""
    fresh = {each: one for each, one in kept.items() if one.ends > now}
    while len(fresh) >= MOST_PENDING:
        fresh.pop(next(iter(fresh)))
    return {**fresh, key: value}


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _not_begun() -> LinkInvalid:
    return LinkInvalid(
        "this sign-in was not begun in this browser, or too long ago", fix="begin it here again"
    )
