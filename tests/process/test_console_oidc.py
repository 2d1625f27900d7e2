"""Signing in at an OpenID provider: a real one on loopback, and everything it might get wrong."""

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

from console.web.errors import LinkInvalid, NotAllowed, NotHere
from console.web.oidc import Identity, ProviderFailed, Providers, _verified
from crypto.keyfile import write_secret
from schemas.access import AccessRole, SessionOpened
from schemas.names import Role
from schemas.webconsole import OidcProvider
from tests.faults.installation import prepared, up
from tests.people import Visitor, invited
from tests.process.test_console import bodies

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


async def test_who_is_invited_signs_in_at_the_provider_and_nobody_else_does(
    tmp_path: Path, issuer: str
) -> None:
    folder = prepared(tmp_path / "home")
    with folder.settings_file.open("a") as file:
        file.write(
            f'[console]\n[console.oidc.corp]\nissuer = "{issuer}"\nclient_id = "anyteam"\n'
            'label = "Acme"\n'
        )
    write_secret(folder.identity(Role.CONSOLE) / "corp.secret", b"a-secret-for-tests\n")
    async with up(folder):
        await invited(folder, "ada@acme.example", AccessRole.ADMIN)
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
                signed_in = (await visitor.get("/")).status_code == 200
                assert signed_in is (status == 303)
        opened = await bodies(folder, SessionOpened)
    assert [each.event.body.method for each in opened] == ["oidc/corp"]


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
