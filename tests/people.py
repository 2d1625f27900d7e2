"""People at the console, for tests: a browser without a screen, and a mailbox they read.

`Visitor` speaks HTTPS to a real console, keeps its cookies, and sends the forms that pages hold.
`Mailbox` is a real SMTP server on loopback. `invited` lets an address in, as `anyteam` does.
"""

import asyncio
import re
import ssl
from contextlib import closing
from email import message_from_string, policy
from typing import Any, Self

import httpx
from aiosmtpd.smtp import SMTP, Envelope, Session
from selectolax.lexbor import LexborHTMLParser

from bus.folder import DataFolder
from console import inviting, tokens
from console.api.shapes import PREFIX
from console.session import session
from console.web.mail import dropped
from console.web.permissions import ROLES, SCOPES
from console.web.store import Store
from schemas.access import AccessRole, TokenScope
from schemas.names import Role


class Mailbox:
    """An SMTP server; `message` waits for the next one."""

    def __init__(self) -> None:
        self._came: asyncio.Queue[str] = asyncio.Queue()
        self._server: asyncio.Server

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by aiosmtpd."""
        self._came.put_nowait(bytes(envelope.content or b"").decode())
        return "250 kept"

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._came.empty()

    async def message(self) -> str:
        """The next message."""
        async with asyncio.timeout(20):
            return await self._came.get()

    async def link(self) -> str:
        """The next sign-in link. A notice that a question waits may come before it."""
        while (found := _link(await self.message())) is None:
            pass
        return found

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, loop=loop), "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()


class Visitor:
    """One browser: cookies of its own, pages as text."""

    def __init__(self, folder: DataFolder) -> None:
        self.folder = folder
        self.origin = inviting.console_url(folder)
        own = folder.identity(Role.CONSOLE)
        self.client = httpx.AsyncClient(
            base_url=self.origin,
            verify=ssl.create_default_context(cafile=str(own / "site-ca.crt")),
            timeout=30,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def get(self, path: str) -> httpx.Response:
        """A page, redirects not followed."""
        return await self.client.get(path)

    async def send(self, page: str, action: str, **fields: Any) -> httpx.Response:
        """Send a form with the token that `page` holds."""
        fields.setdefault("csrf", token_of(await self.get(page)))
        return await self.client.post(action, data=fields, headers={"origin": self.origin})

    async def ask_link(self, address: str) -> httpx.Response:
        """Ask for a sign-in link."""
        return await self.send("/sign-in", "/sign-in", address=address)

    async def open_link(self, url: str) -> httpx.Response:
        """Open a link, and press its button."""
        path = url.removeprefix(self.origin)
        token = path.partition("token=")[2]
        return await self.send(path, "/sign-in/link", token=token)

    async def link_for(self, address: str) -> str:
        """A link that is left in the folder for want of a mail server."""
        own = self.folder.identity(Role.CONSOLE)
        # One that was used may lie there still.
        known = set(dropped(own))
        await self.ask_link(address)
        async with asyncio.timeout(20):
            while not (
                links := [
                    url for to, url in dropped(own) if to == address and (to, url) not in known
                ]
            ):
                await asyncio.sleep(0.01)
        return links[0]

    async def sign_in(self, address: str) -> Self:
        """Sign in by such a link."""
        answer = await self.open_link(await self.link_for(address))
        assert answer.status_code == 303, answer.text
        return self


def token_of(page: httpx.Response) -> str:
    """The token of the page's forms."""
    found = LexborHTMLParser(page.text).css_first("input[name=csrf]")
    return found.attributes["value"] or "" if found is not None else ""


def link_in(message: str) -> str:
    """The sign-in link of a mail."""
    found = _link(message)
    assert found is not None, message
    return found


def _link(message: str) -> str | None:
    said = message_from_string(message, policy=policy.default).get_content()
    found = re.search(r"https://\S+token=\S+", said)
    return found[0] if found is not None else None


async def invited(
    folder: DataFolder, address: str, role: AccessRole, person: str | None = None
) -> str:
    """Let an address in; its account."""
    async with session(folder.root, Role.ADMIN, content=False) as opened:
        with closing(Store(inviting.store_file(folder))) as store:
            return await inviting.invite(opened, store, address, role, person, None)


async def turned_out(folder: DataFolder, address: str) -> None:
    """Take an address's access away."""
    async with session(folder.root, Role.ADMIN, content=False) as opened:
        with closing(Store(inviting.store_file(folder))) as store:
            await inviting.revoke(opened, store, address, "left the company", None)


async def token_of_person(
    folder: DataFolder, address: str, scopes: tuple[TokenScope, ...] = tuple(TokenScope)
) -> str:
    """A token of the HTTP API for an address that was let in, once the console knows it.

    Scopes that its role can make nothing of are left out.
    """
    async with session(folder.root, Role.ADMIN, content=False) as opened:
        with closing(Store(inviting.store_file(folder))) as store:
            role = tokens.access_of(opened).grants[store.account_of(address) or ""].role
            useful = tuple(scope for scope in scopes if SCOPES[scope] & ROLES[role])
            made = await tokens.issue(opened, store, address, useful, 1, "a test", None)
    async with Visitor(folder) as visitor, asyncio.timeout(30):
        headers = {"authorization": f"Bearer {made.secret}"}
        while not (await visitor.client.get(f"{PREFIX}/me", headers=headers)).is_success:
            await asyncio.sleep(0.1)
    return made.secret
