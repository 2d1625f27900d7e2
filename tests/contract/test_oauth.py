"""Consent and tokens against a real OAuth server: PKCE, rotation, narrowing, revocation."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from schemas.connectors import ConnectorSettings, CrmSettings
from sidecar import oauth
from sidecar.connectors.serving import Connectors
from sidecar.destinations.resolver import Resolver
from sidecar.errors import BadConnector, Denied, Unreachable
from sidecar.vault import Grant, Secret, Vault
from tests.contract.oauth_server import CLIENT_SECRET, SCOPES, OAuthServer, running

pytestmark = pytest.mark.asyncio

REDIRECT = "http://127.0.0.1:9/consent"
KEY = "01890000-0000-7000-8000-000000000001"


@pytest.fixture
def server() -> Iterator[OAuthServer]:
    with running(OAuthServer()) as up:
        yield up


@pytest_asyncio.fixture
async def grant(server: OAuthServer) -> Grant:
    """What rep ann consented to."""
    return await consented(server)


@pytest.fixture
def vault(tmp_path: Path, grant: Grant) -> Vault:
    """A vault that holds ann's grant, and the workspace's own key for nothing else."""
    made = Vault(tmp_path / "vault", bytes(32), "acme")
    made.put("crm", grant, "ann")
    return made


async def consented(server: OAuthServer, secret: str = "", **changes: Any) -> Grant:
    asking = oauth.ask(server.settings(**changes), REDIRECT)
    return await oauth.consent(
        server.settings(**changes), asking, await browsed(asking.url), secret
    )


async def browsed(url: str) -> str:
    """Where the server sends a browser that opens `url`."""
    async with httpx.AsyncClient() as browser:
        return (await browser.get(url)).headers["location"]


def connectors(server: OAuthServer, vault: Vault, **changes: Any) -> Connectors:
    settings = ConnectorSettings(crm=CrmSettings(url=f"{server.url}/crm"))
    clients = {"crm": server.settings(**changes)}
    return Connectors(settings, clients, vault, base=Path(), resolver=Resolver(["192.0.2.53"]))


async def find(made: Connectors, rep: str = "ann") -> None:
    async with made.serving("crm.find_account", rep) as connector:
        assert connector is not None
        outcome = await connector.execute("crm.find_account", {"name": "Boeing"}, KEY)
        assert outcome.result["accounts"][0]["name"] == "Boeing"


async def test_consent_gives_a_grant_with_the_scopes_consented_to(grant: Grant) -> None:
    assert set(grant.scopes) == set(SCOPES)
    assert grant.refresh_token


async def test_a_confidential_client_proves_itself_at_every_step() -> None:
    with running(OAuthServer(secret=CLIENT_SECRET)) as server:
        grant = await consented(server, CLIENT_SECRET)
        assert (await oauth.mint(server.settings(), grant, ("crm.read",))).access_token
        with pytest.raises(Denied, match="invalid_client"):
            await consented(server, "another")


async def test_an_answer_to_another_question_is_refused(server: OAuthServer) -> None:
    asking, other = (oauth.ask(server.settings(), REDIRECT) for _ in range(2))
    with pytest.raises(Denied):
        await oauth.consent(server.settings(), asking, await browsed(other.url))
    assert server.tokens == []


async def test_a_stolen_code_is_worth_nothing_without_its_verifier(server: OAuthServer) -> None:
    asking = oauth.ask(server.settings(), REDIRECT)
    answer = await browsed(asking.url)
    thief = oauth.Asking(
        url=asking.url, state=asking.state, verifier="x" * 43, redirect=asking.redirect
    )
    with pytest.raises(Denied, match="invalid_grant"):
        await oauth.consent(server.settings(), thief, answer)
    assert server.tokens == []


async def test_a_person_who_says_no_is_understood(server: OAuthServer) -> None:
    server.denies = True
    with pytest.raises(Denied, match="access_denied"):
        await consented(server)


async def test_each_action_has_a_token_of_its_own_for_its_own_scopes(
    server: OAuthServer, vault: Vault
) -> None:
    made = connectors(server, vault)
    await find(made)
    await find(made)
    assert server.used == ["crm.read", "crm.read"]
    assert len({token.access for token in server.tokens}) == len(server.tokens) == 3


async def test_an_actions_token_is_over_with_the_action_where_the_provider_lets_it(
    server: OAuthServer, vault: Vault
) -> None:
    made = connectors(server, vault, revoke_each=True)
    async with made.serving("crm.find_account", "ann"):
        used = server.tokens[-1]
        assert not used.ended
    assert used.ended
    await find(made)
    await find(connectors(server, vault, revoke_each=True, revoke_url=f"{server.url}/gone"))


async def test_a_rotated_refresh_token_is_kept_for_the_next_action(
    server: OAuthServer, vault: Vault, grant: Grant
) -> None:
    made = connectors(server, vault)
    await find(made)
    kept = vault.held("ann")["crm"]
    assert isinstance(kept, Grant)
    assert kept.refresh_token == server.tokens[-1].refresh != grant.refresh_token
    await find(made)


async def test_actions_at_once_do_not_use_a_refresh_token_twice(
    server: OAuthServer, vault: Vault
) -> None:
    made = connectors(server, vault)
    await asyncio.gather(*(find(made) for _ in range(5)))
    assert len(server.used) == 5
    assert len(server.live()) == 6


async def test_a_token_that_may_do_more_than_was_asked_is_not_used(vault: Vault) -> None:
    with running(OAuthServer(wide=True)) as server:
        vault.put("crm", await consented(server), "ann")
        made = connectors(server, vault)
        for _ in range(2):
            with pytest.raises(Denied, match="more than this action needs"):
                await find(made)
        assert server.used == []


async def test_a_scope_that_was_not_consented_to_is_not_asked_for(
    server: OAuthServer, vault: Vault
) -> None:
    vault.put("crm", await consented(server, scopes=("crm.read",), tools={}), "ann")
    before = len(server.tokens)
    with pytest.raises(Denied, match=r"crm\.write"):
        async with connectors(server, vault).serving("crm.update_deal", "ann"):
            pass
    assert len(server.tokens) == before


async def test_a_rep_without_consent_is_served_by_nobody_elses(
    server: OAuthServer, vault: Vault
) -> None:
    vault.put("crm", Secret("a-key-of-the-workspace"))
    with pytest.raises(Denied, match="rep bob has not consented"):
        await find(connectors(server, vault), rep="bob")


async def test_what_is_revoked_serves_no_further_action(server: OAuthServer, vault: Vault) -> None:
    made = connectors(server, vault)
    await find(made)
    gone = vault.remove("crm", "ann")
    assert isinstance(gone, Grant)
    with pytest.raises(Denied, match="has not consented"):
        await find(made)
    await oauth.revoke(server.settings(), gone.refresh_token, "refresh_token")
    vault.put("crm", gone, "ann")
    with pytest.raises(Denied, match="invalid_grant"):
        await find(made)


async def test_a_tool_that_the_client_does_not_list_gets_no_token(
    server: OAuthServer, vault: Vault
) -> None:
    before = len(server.tokens)
    made = connectors(server, vault, tools={"crm.update_deal": SCOPES})
    with pytest.raises(Denied, match="no credential"):
        await find(made)
    assert len(server.tokens) == before


async def test_a_server_that_is_not_there_leaves_everything_undone(
    server: OAuthServer, vault: Vault
) -> None:
    made = connectors(server, vault, token_url="http://127.0.0.1:9/token")
    with pytest.raises(Unreachable, match="authorisation server"):
        await find(made)


async def test_a_client_for_a_tool_that_is_not_there_is_an_error_at_once(
    server: OAuthServer, vault: Vault
) -> None:
    with pytest.raises(BadConnector, match=r"crm\.fly"):
        connectors(server, vault, tools={"crm.fly": ()})


async def test_no_error_and_no_text_holds_a_token(server: OAuthServer, vault: Vault) -> None:
    held = vault.held("ann")["crm"]
    assert isinstance(held, Grant)
    asking = oauth.ask(server.settings(), REDIRECT)
    minted = await oauth.mint(server.settings(), held, ("crm.read",))
    said = f"{held} {held!r} {asking!r} {minted!r} {vault!r} {[*minted.__rich_repr__()]}"
    with pytest.raises(Denied) as raised:
        await oauth.mint(server.settings(), held, ("crm.read",))
    said += f"{raised.value} {raised.value!r} {raised.value.__cause__!r}"
    for secret in (held.refresh_token, minted.access_token, asking.verifier):
        assert secret not in said
