"""Signing in at providers, OpenID Connect and SAML: real ones, and what they might get wrong."""

import asyncio
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from oidc_provider_mock import User, run_server_in_thread

from bus.folder import DataFolder
from console.web.errors import LinkInvalid, NotAllowed, NotHere, ProviderFailed
from console.web.identity import Identity
from console.web.oidc import Providers, _verified
from crypto.keyfile import write_secret
from schemas.access import AccessRole, SessionOpened
from schemas.names import Role
from schemas.webconsole import OidcProvider
from tests.faults.installation import prepared, up
from tests.people import Visitor, invited
from tests.process.test_console import bodies
from tests.saml_provider import metadata_of, saml_provider, signed_in

ADA = User(sub="ada-7", claims={"email": "ada@acme.example", "email_verified": True})
EVE = User(sub="eve-1", claims={"email": "ada@acme.example", "email_verified": False})
BOB = User(sub="bob-2", claims={"email": "bob@acme.example", "email_verified": True})
IMPOSTOR = User(sub="ada-8", claims={"email": "ada@acme.example", "email_verified": True})


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with run_server_in_thread(user_claims=(ADA, EVE, BOB, IMPOSTOR)) as server:
        yield f"http://localhost:{server.server_port}"


async def consented(url: str, sub: str) -> str:
    """What the person does at the provider; where it sends the browser back to."""
    async with httpx.AsyncClient() as client:
        answer = await client.post(url, data={"sub": sub})
    return answer.headers["location"]


@pytest.fixture(scope="module")
def saml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("idp") / "home"
    people = {"bea": "bea@acme.example", "bob": "bob@acme.example", "mal": "bea@evil.example"}
    with saml_provider(home, people) as origin:
        yield origin


async def test_who_is_invited_signs_in_at_either_provider_and_nobody_else_does(
    tmp_path: Path, issuer: str, saml: str
) -> None:
    folder = prepared(tmp_path / "home")
    with folder.settings_file.open("a") as file:
        file.write(
            f'[console]\n[console.oidc.corp]\nissuer = "{issuer}"\nclient_id = "anyteam"\n'
            'label = "Acme"\n'
            '[console.saml.firm]\nmetadata = "firm.xml"\ndomains = ["acme.example"]\n'
        )
    write_secret(folder.identity(Role.CONSOLE) / "corp.secret", b"a-secret-for-tests\n")
    (folder.root / "firm.xml").write_bytes(await asyncio.to_thread(metadata_of, saml))
    async with up(folder):
        await invited(folder, "ada@acme.example", AccessRole.ADMIN)
        await invited(folder, "bea@acme.example", AccessRole.ADMIN)
        await by_openid(folder)
        await by_saml(folder)
        opened = await bodies(folder, SessionOpened)
    assert [each.event.body.method for each in opened] == ["oidc/corp", "saml/firm"]


async def by_openid(folder: DataFolder) -> None:
    for sub, status in (("ada-7", 303), ("eve-1", 403), ("bob-2", 403), ("ada-8", 403)):
        async with Visitor(folder) as visitor, Visitor(folder) as thief:
            assert "Continue with Acme" in (await visitor.get("/sign-in")).text
            away = await visitor.get("/sign-in/with/corp")
            back = await consented(away.headers["location"], sub)
            await thief.get("/sign-in")
            assert (await thief.get(back.removeprefix(thief.origin))).status_code == 410
            away = await visitor.get("/sign-in/with/corp")
            back = await consented(away.headers["location"], sub)
            answer = await visitor.get(back.removeprefix(visitor.origin))
            assert answer.status_code == status, (sub, answer.text)
            assert (await visitor.get("/")).status_code == (200 if status == 303 else 303)


async def by_saml(folder: DataFolder) -> None:
    """The answer is posted from the provider's own page: without our cookies, in its name."""
    for name, status in (("bea", 303), ("bob", 403), ("mal", 403)):
        async with Visitor(folder) as visitor, Visitor(folder) as thief:
            away = await visitor.get("/sign-in/saml/firm/begin")
            said = await asyncio.to_thread(signed_in, away.headers["location"], name)
            assert said.pop("action") == f"{visitor.origin}/sign-in/saml/firm/acs"
            elsewhere = {"origin": "https://id.example", "sec-fetch-site": "cross-site"}
            took = await thief.client.post("/sign-in/saml/firm/acs", data=said, headers=elsewhere)
            if name == "mal":
                assert took.status_code == 403, took.text
                continue
            place = took.headers["location"]
            entered = await visitor.get(place)
            assert entered.status_code == status, (name, entered.text)
            assert (await visitor.get("/")).status_code == (200 if status == 303 else 303)
            again = await visitor.client.post("/sign-in/saml/firm/acs", data=said)
            assert again.status_code == 410
            away = await visitor.get("/sign-in/saml/firm/begin")
            said = await asyncio.to_thread(signed_in, away.headers["location"], name)
            took = await visitor.client.post("/sign-in/saml/firm/acs", data=said)
            await thief.get("/sign-in")
            assert (await thief.get(took.headers["location"])).status_code == 410
            other = await thief.client.post("/sign-in", headers=elsewhere)
            assert other.status_code == 403
    async with Visitor(folder) as admin:
        ours = await admin.get("/sign-in/saml/firm")
    assert f"{admin.origin}/sign-in/saml/firm/acs" in ours.text


@pytest.fixture
async def providers(tmp_path: Path, issuer: str) -> AsyncIterator[Providers]:
    chosen = {"corp": OidcProvider(issuer=issuer, client_id="anyteam")}
    write_secret(tmp_path / "corp.secret", b"a-secret-for-tests\n")
    yield Providers(chosen, tmp_path, "https://localhost:1")


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


async def test_an_answer_counts_once_and_for_the_browser_and_provider_it_was_asked_for(
    providers: Providers,
) -> None:
    url = await providers.begin("corp", "browser")
    back = await consented(url, "ada-7")
    found = await providers.finish("corp", back, state_of(back), "browser")
    assert found.address == "ada@acme.example"
    with pytest.raises(LinkInvalid):
        await providers.finish("corp", back, state_of(back), "browser")
    url = await providers.begin("corp", "browser")
    with pytest.raises(LinkInvalid):
        await providers.finish("corp", back, state_of(url), "another")
    with pytest.raises(NotHere):
        await providers.begin("nowhere", "browser")


async def test_a_provider_that_is_not_there_is_an_error_and_no_sign_in(tmp_path: Path) -> None:
    chosen = {"corp": OidcProvider(issuer="http://127.0.0.1:9", client_id="anyteam")}
    with pytest.raises(ProviderFailed):
        await Providers(chosen, tmp_path, "https://localhost:1").begin("corp", "browser")


PROVIDER = OidcProvider(issuer="https://id.example", client_id="anyteam")
KEY = RSAKey.generate_key(2048, {"kid": "k"})
KEYS = KeySet([KEY]).as_dict(private=False)


def token(header: dict[str, str] | None = None, key: object = KEY, **changes: object) -> str:
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": "https://id.example",
        "sub": "ada-7",
        "aud": "anyteam",
        "iat": now,
        "exp": now + 300,
        "nonce": "n",
        "email": "ada@acme.example",
        "email_verified": True,
    }
    claims |= changes
    said = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode(header or {"alg": "RS256", "kid": "k"}, said, key)  # type: ignore[arg-type]


def test_a_right_token_names_its_holder() -> None:
    assert _verified(token(), KEYS, PROVIDER, "n") == Identity(
        "ada@acme.example", "https://id.example ada-7"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": None},
        {"exp": 1_000_000},
        {"exp": None},
        {"nonce": "m"},
        {"nonce": None},
        {"sub": None},
        {"azp": "another"},
        {"key": RSAKey.generate_key(2048, {"kid": "k"})},
    ],
)
def test_a_token_with_one_thing_wrong_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ProviderFailed):
        _verified(token(**changes), KEYS, PROVIDER, "n")  # type: ignore[arg-type]


def test_a_token_that_takes_the_public_key_for_a_secret_is_refused() -> None:
    _, claims, _ = token().split(".")
    head = urlsafe_b64encode(b'{"alg":"HS256","kid":"k"}').rstrip(b"=").decode()
    said = f"{head}.{claims}"
    mac = hmac.digest(KEY.as_pem(private=False), said.encode(), "sha256")
    forged = f"{said}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(ProviderFailed):
        _verified(forged, KEYS, PROVIDER, "n")


def test_a_token_of_algorithm_none_is_refused() -> None:
    _, claims, _ = token().split(".")
    with pytest.raises(ProviderFailed):
        _verified(f"eyJhbGciOiJub25lIn0.{claims}.", KEYS, PROVIDER, "n")


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_the_provider_did_not_verify_opens_nothing(verified: object) -> None:
    with pytest.raises(NotAllowed):
        _verified(token(email_verified=verified), KEYS, PROVIDER, "n")
