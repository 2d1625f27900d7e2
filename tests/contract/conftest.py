"""The benches as fixtures: `bench` is every connector in turn, `remote` those with a server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.services import (
    Bench,
    CrmBench,
    FilesBench,
    HubSpotBench,
    HubSpotContactBench,
    HubSpotNoteBench,
    InvoicesBench,
    MailBench,
    Remote,
)

REMOTE: dict[str, type[Remote]] = {
    "mail": MailBench,
    "crm": CrmBench,
    "hubspot-deal": HubSpotBench,
    "hubspot-note": HubSpotNoteBench,
    "hubspot-contact": HubSpotContactBench,
    "http": InvoicesBench,
}


@pytest_asyncio.fixture(params=["files", *REMOTE])
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A connector with its far side up."""
    if request.param == "files":
        yield FilesBench(tmp_path)
        return
    made = REMOTE[request.param](tmp_path)
    await made.start()
    yield made
    await made.down()


@pytest_asyncio.fixture(params=[*REMOTE])
async def remote(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Remote]:
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


@pytest_asyncio.fixture
async def hubspot(tmp_path: Path) -> AsyncIterator[HubSpotBench]:
    """The HubSpot connector's bench; the test starts the server."""
    made = HubSpotBench(tmp_path)
    yield made
    if made.service is not None:
        await made.down()


@pytest_asyncio.fixture
async def invoices(tmp_path: Path) -> AsyncIterator[InvoicesBench]:
    """The bench of the described HTTP API; the test starts the server."""
    made = InvoicesBench(tmp_path)
    yield made
    if made.service is not None:
        await made.down()
