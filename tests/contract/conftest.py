"""The benches as fixtures: `bench` is every connector in turn, `remote` those with a server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.contract.calendar_benches import (
    CalendarBench,
    CalendarCancelBench,
    CalendarUpdateBench,
    GoogleCalendarBench,
    GoogleCalendarCancelBench,
    GoogleCalendarUpdateBench,
)
from tests.contract.mail_benches import (
    DraftBench,
    FilingMailBench,
    GmailBench,
    GmailDraftBench,
    GmailMarkBench,
    MailBench,
    MarkBench,
)
from tests.contract.services import (
    Bench,
    CrmBench,
    FilesBench,
    HubSpotBench,
    HubSpotContactBench,
    HubSpotNoteBench,
    InvoicesBench,
)

Remote = MailBench | CalendarBench | CrmBench | GmailBench | HubSpotBench | InvoicesBench

REMOTE: dict[str, type[Remote]] = {
    "mail": MailBench,
    "filing mail": FilingMailBench,
    "gmail": GmailBench,
    "calendar": CalendarBench,
    "calendar change": CalendarUpdateBench,
    "calendar cancel": CalendarCancelBench,
    "google calendar": GoogleCalendarBench,
    "google calendar change": GoogleCalendarUpdateBench,
    "google calendar cancel": GoogleCalendarCancelBench,
    "crm": CrmBench,
    "hubspot-deal": HubSpotBench,
    "hubspot-note": HubSpotNoteBench,
    "hubspot-contact": HubSpotContactBench,
    "http": InvoicesBench,
}
BENCHES: dict[str, type[FilesBench | Remote]] = {
    "files": FilesBench,
    "draft": DraftBench,
    "mark": MarkBench,
    "gmail draft": GmailDraftBench,
    "gmail mark": GmailMarkBench,
    **REMOTE,
}


@pytest_asyncio.fixture(params=list(BENCHES))
async def bench(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bench]:
    """A connector with its far side up."""
    made: FilesBench | Remote = BENCHES[request.param](tmp_path)
    await made.start()
    yield made
    if isinstance(made, Remote):
        await made.down()


@pytest_asyncio.fixture(params=list(REMOTE))
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
async def gmail(tmp_path: Path) -> AsyncIterator[GmailBench]:
    """The bench of the mail connector over the Gmail API; the test starts the server."""
    made = GmailBench(tmp_path)
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
