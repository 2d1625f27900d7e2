"""The HTTP API against its own document: what schemathesis makes of it, sent to an installation.

Of each operation requests that fit the document and such that do not, for names that exist and for
names that do not: no answer is a fault of the server, and none is one that the document does not
name. The examples follow from the document, so that every run tries the same ones.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from msgspec import Struct
from requests.adapters import HTTPAdapter
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from urllib3.util import Retry

from anyteam import Client, Refused, connect
from console.api.operations import OPERATIONS
from console.api.shapes import PREFIX
from console.inviting import console_url
from schemas.access import AccessRole
from schemas.actions import ApprovalRequested
from schemas.names import Role
from tests.faults.installation import ask, is_a, prepared, until, up
from tests.people import invited, token_of_person

EXAMPLES = 10


class Target(Struct, frozen=True):
    """An API that is up, and names in it that exist."""

    url: str
    authority: str
    tokens: dict[str, str]
    names: dict[str, str]


@asynccontextmanager
async def target(home: Path) -> AsyncIterator[Target]:
    folder = prepared(home)
    with folder.settings_file.open("a") as file:
        file.write("[console]\napi_per_min = 1000000\n")
    async with up(folder):
        tokens = {}
        for person, role in (("ada", AccessRole.ADMIN), ("ann", AccessRole.REP)):
            await invited(folder, f"{person}@acme.example", role, person)
            tokens[person] = await token_of_person(folder, f"{person}@acme.example")
        run = await ask(folder, "writer", "files.write", effects=())
        asked = (await until(folder, run, is_a(ApprovalRequested)))[-1].event.body
        assert isinstance(asked, ApprovalRequested)
        names = {"run": run, "proposal": asked.proposal.hex(), "index": "3", "claim": "m-none"}
        authority = folder.identity(Role.CONSOLE) / "site-ca.crt"
        async with connect(console_url(folder), tokens["ada"], ca=authority) as api:
            while not await is_sealed(api, 3):
                await asyncio.sleep(0.05)
        yield Target(console_url(folder), str(authority), tokens, names)


async def is_sealed(api: Client, index: int) -> bool:
    try:
        return (await api.proof(index)).size >= index
    except Refused as refused:
        assert refused.status == 404
        return False


async def test_every_answer_is_one_that_the_document_names_and_none_is_a_fault() -> None:
    with tempfile.TemporaryDirectory(prefix="anyteam-api-") as home:
        async with target(Path(home)) as at:
            statuses = await asyncio.to_thread(tried, at)
    assert set(statuses) == {operation.name for operation in OPERATIONS} | {"document"}
    # What is never let through proves nothing of what it answers.
    never = {name for name, found in statuses.items() if not found & {200, 201}}
    assert never <= {"claim", "release", "request"}, statuses
    assert all(status < 500 for found in statuses.values() for status in found), statuses


def tried(at: Target) -> dict[str, set[int]]:
    """Try every operation; the statuses seen of each."""
    with requests.Session() as session:
        # Else an authority that the environment names would be believed instead.
        session.trust_env = False
        # A connection that the server let go while it was idle is no answer.
        again = Retry(3, status=0, allowed_methods=None, respect_retry_after_header=False)
        session.mount("https://", HTTPAdapter(max_retries=again))
        document = f"{at.url}{PREFIX}/openapi.json"
        described = session.get(document, verify=at.authority, timeout=30).json()
        schema = schemathesis.openapi.from_dict(described)
        seen: dict[str, set[int]] = {}
        for found in schema.get_all_operations():
            operation = found.ok()
            name = str(operation.definition.raw["operationId"])
            seen[name] = set()
            token = at.tokens["ann" if name == "request" else "ada"]
            known = {each: at.names[each] for each in at.names if f"{{{each}}}" in operation.path}
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                for names in ({}, known) if known else ({},):
                    strategy = operation.as_strategy(
                        generation_mode=mode, path_parameters=names or None
                    )
                    # What takes nothing cannot be asked wrongly.
                    with suppress(*((Unsatisfiable,) if mode is GenerationMode.NEGATIVE else ())):
                        sent(at, token, session, strategy, seen[name])
    return seen


def sent(at: Target, token: str, session: requests.Session, strategy: Any, seen: set[int]) -> None:
    """Send what the strategy makes, and hold each answer against the document."""

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def each(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(
            base_url=f"{at.url}{PREFIX}",
            session=session,
            verify=at.authority,
            headers={"authorization": f"Bearer {token}"},
            # A cursor or an agent's name has the form of one, and yet need not exist. Who gets in
            # without a token is tried in `tests.access`, on every route.
            excluded_checks=[positive_data_acceptance, ignored_auth],
        )
        seen.add(answer.status_code)

    each()
