"""What is void is said of runs that were there before the reader, and of those that came after."""

import asyncio
import time

import pytest

from bus.connection import connect
from bus.consume import end_of_ledger
from bus.identity import mint_direct_user
from bus.provision import provision_workspace, read_key
from bus.roles import ledger_subject
from console.revocation import stopped
from schemas.names import Role
from schemas.runs import RunHalted
from tests.process.conftest import DEADLINE_S, Bus, Join
from tests.scenery import REQUEST
from tests.stories import Story

pytestmark = pytest.mark.asyncio(loop_scope="session")

HALTED = RunHalted(halt=bytes(32), reason="enough")


async def test_a_run_from_before_and_one_from_after_lose_their_leases(bus: Bus, join: Join) -> None:
    workspace = await provision_workspace(bus.site, "stopping")
    key = read_key(bus.site.operator / "stopping" / "ledger.nk")
    now = int(time.time())
    subjects = (ledger_subject("stopping"),)
    identity = mint_direct_user(key, name="teller", now=now, expires=now + 600, publish=subjects)
    writer = await connect(bus.server.url, identity, bus.context, name="teller")
    member = await join(Role.ROOT, workspace=workspace)
    story = Story("stopping")
    told = 0

    async def tell() -> None:
        nonlocal told
        for entry in story.entries[told:]:
            await writer.request(entry.subject, entry.body, timeout=DEADLINE_S)
        told = len(story.entries)

    try:
        story.found()
        before, other = story.begin("r-before"), story.begin("r-other")
        await tell()
        since = await end_of_ledger(member.client)
        assert since == len(story.entries)
        other.complete()
        # Another's wish for the same run takes nothing from it.
        story.say("ann", REQUEST, run="r-before")
        after = story.begin("r-after")
        story.say("orchestrator", HALTED, run="r-before")
        story.say("orchestrator", HALTED, run="r-after")
        await tell()
        leases = stopped(member.client, "stopping", story.signers["root"].public, since)
        async with asyncio.timeout(DEADLINE_S):
            assert await anext(leases) == before.lease
            assert await anext(leases) == after.lease
    finally:
        await writer.close()
