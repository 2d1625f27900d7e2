"""The benches as fixtures: `bench` is every connector in turn, `remote` those with a server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.services import (
    Bench,
    CrmBench,
    DraftBench,
    FilesBench,
    FilingMailBench,
    MailBench,
    MarkBench,
)

REMOTE: dict[str, type[MailBench | CrmBench]] = {
    "mail": MailBench,
    "filing mail": FilingMailBench,
    "crm": CrmBench,
}
BENCHES: dict[str, type[FilesBench | MailBench | CrmBench]] = {
    "files": FilesBench,
    "draft": DraftBench,
    "mark": MarkBench,
    **REMOTE,
}


@pytest_asyncio.fixture(params=list(BENCHES))
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A connector with its far side up."""
    made: FilesBench | MailBench | CrmBench = BENCHES[request.param](tmp_path)
    await made.start()
    yield made
    if isinstance(made, MailBench | CrmBench):
        await made.down()


@pytest_asyncio.fixture(params=list(REMOTE))
async def remote(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[MailBench | CrmBench]:
    """A connector whose far side is a server; the test starts it."""
    made = REMOTE[request.param](tmp_path)
    yield made
    if made.service is not None:
        await made.down()


@pytest_asyncio.fixture
async def mail(tmp_path: Path) -> AsyncIterator[MailBench]:
    """The mail connector's bench; the test starts the server."""
    made = MailBench(tmp_path)
    yield made
    if made.service is not None:
        await made.down()


@pytest_asyncio.fixture
async def crm(tmp_path: Path) -> AsyncIterator[CrmBench]:
    """The CRM connector's bench, its server up."""
    made = CrmBench(tmp_path)
    await made.start()
    yield made
    await made.down()
