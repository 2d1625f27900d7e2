"""Each action's connector: opened for one tool and one rep, with credentials for that alone.

A rep's own credential goes before the workspace's. Where the settings name an OAuth 2 client
for a tool, the action gets a token of its own with the scopes of that tool, minted before it
and, where the provider lets that be, revoked after it. What was revoked or taken out of the
vault serves no further action. A connector that holds something open, as an MCP server's, is
opened once, with the workspace's credentials.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from schemas.addresses import Admits, is_public
from schemas.connectors import ConnectorSettings, OAuthSettings
from sidecar import oauth
from sidecar.connectors.connector import Connector, registry
from sidecar.connectors.opening import Surroundings, offers
from sidecar.connectors.scrubbing import Scrubbed
from sidecar.destinations.resolver import Resolver
from sidecar.errors import BadConnector, ConnectorError, Denied
from sidecar.vault import Credentials, Grant, Secret, Vault

_LOG = logging.getLogger("anyteam.sidecar")


class Connectors:
    """The workspace's connectors. Raises `BadConnector` where one cannot be opened."""

    def __init__(
        self,
        settings: ConnectorSettings,
        clients: Mapping[str, OAuthSettings],
        vault: Vault,
        *,
        base: Path,
        resolver: Resolver,
        admits: Admits = is_public,
    ) -> None:
        offered = tuple(offers(settings, base))
        self._offers = {tool.name: offer for offer in offered for tool in offer.tools}
        self._clients = clients
        self._vault = vault
        self._around = Surroundings(Credentials({}), resolver, admits)
        shared = msgspec.structs.replace(self._around, credentials=Credentials(self._secrets(None)))
        opened = [(o, o.open(shared if o.lasting else self._around)) for o in offered]
        registry(connector for _, connector in opened)
        self._lasting = {
            tool.name: Scrubbed(connector, shared.credentials)
            for offer, connector in opened
            if offer.lasting
            for tool in offer.tools
        }
        # Providers that rotate refresh tokens take a second use of one for a theft.
        self._refreshing: defaultdict[tuple[str, str], asyncio.Lock] = defaultdict(asyncio.Lock)
        stray = sorted(
            tool for client in clients.values() for tool in client.tools if tool not in self._offers
        )
        if stray:
            raise BadConnector(
                f"an OAuth client is for the tool {stray[0]}, which no connector declares",
                fix="check the names in [oauth.NAME.tools]",
            )

    @asynccontextmanager
    async def serving(self, tool: str, rep: str) -> AsyncIterator[Connector | None]:
        """The connector of `tool`, as `rep`; None where no connector has it.

        Raises a `ConnectorError`, with nothing done, where its credential is not to be had.
        """
        offer = self._offers.get(tool)
        if offer is None or offer.lasting:
            yield self._lasting.get(tool)
            return
        values = self._secrets(rep)
        tokens: list[tuple[OAuthSettings, Grant, str]] = []
        for name, client in self._clients.items():
            values.pop(name, None)
            if tool in client.tools:
                minted = await self._minted(name, client, rep, client.tools[tool])
                values[name] = minted.access_token
                if client.revoke_each:
                    tokens.append((client, minted.grant, minted.access_token))
        try:
            credentials = Credentials(values)
            around = msgspec.structs.replace(self._around, credentials=credentials)
            yield Scrubbed(offer.open(around), credentials)
        finally:
            for client, grant, token in tokens:
                await _revoke(client, grant, token)

    async def close(self) -> None:
        """End what connectors hold open: the processes of MCP servers."""
        for connector in set(self._lasting.values()):
            await connector.close()

    def _secrets(self, rep: str | None) -> dict[str, str]:
        held = self._vault.held(None)
        if rep is not None:
            held |= self._vault.held(rep)
        return {name: one.value for name, one in held.items() if isinstance(one, Secret)}

    async def _minted(
        self, name: str, client: OAuthSettings, rep: str, scopes: tuple[str, ...]
    ) -> oauth.Minted:
        async with self._refreshing[(rep, name)]:
            grant = self._vault.held(rep).get(name)
            if not isinstance(grant, Grant):
                raise Denied(
                    f"rep {rep} has not consented to {name}",
                    fix=f"anyteam credential connect {name} --rep {rep}",
                )
            try:
                minted = await oauth.mint(client, grant, scopes)
            except oauth.TooWide as error:
                self._vault.renew(name, rep, grant, error.grant)
                raise
            if minted.grant != grant:
                self._vault.renew(name, rep, grant, minted.grant)
            return minted


async def _revoke(client: OAuthSettings, grant: Grant, token: str) -> None:
    """The action is over; a token that stays alive until it expires is noted, not fatal."""
    try:
        await oauth.revoke(client, token, "access_token", grant.client_secret)
    except ConnectorError as error:
        _LOG.warning("an action's token was not revoked: %s", error)
