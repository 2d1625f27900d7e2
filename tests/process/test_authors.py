"""What a person says stands in the ledger, also where two of one key's holders speak at once."""

from pathlib import Path

import pytest

from bus.errors import PublishRefused
from console import author
from console.author import say
from console.session import session
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltReleased, HaltScope
from tests.faults.installation import prepared, up

HALT = HaltEngaged(scope=HaltScope.PLATFORM, target="", reason="a fire")
RELEASE = HaltReleased(scope=HaltScope.REP, target="ann", reason="all clear")


async def test_a_halt_stands_although_another_event_of_its_author_came_between(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with (
        up(folder),
        session(folder.root, Role.ADMIN) as early,
        session(folder.root, Role.ADMIN) as late,
    ):
        pen = early.pen(Role.ADMIN, None)
        await say(late.client, late.reader, pen, RELEASE, run=None)
        index = await say(early.client, early.reader, pen, HALT, run=None)
        standing = {entry.index: entry.event.body for entry in await late.again().catch_up()}
    assert standing[index] == HALT


async def test_what_is_overtaken_each_time_is_an_error_and_not_an_acknowledgement(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with (
        up(folder),
        session(folder.root, Role.ADMIN) as early,
        session(folder.root, Role.ADMIN) as late,
    ):
        pen, told = early.pen(Role.ADMIN, None), []

        def overtaken(message: bytes) -> bytes:
            # Fits nothing: readers refuse it, as they do what was overtaken.
            told.append(message)
            return pen.sign(message + b"!")

        with pytest.raises(PublishRefused, match=r"halt\.engaged does not stand"):
            await say(
                early.client,
                early.reader,
                author.Pen(pen.actor, pen.key_id, overtaken),
                HALT,
                run=None,
            )
        standing = [entry.event.body for entry in await late.again().catch_up()]
    assert len(told) == author.TRIES
    assert HALT not in standing
