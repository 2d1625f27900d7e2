"""A command reads what it is about, wherever in a long ledger's epochs that lies, and no more."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bus.consume import end_of_ledger
from bus.decider import Recorded
from bus.folder import DataFolder
from console.archiving import archive, drop
from console.author import say
from console.epochs import site_of, turn
from console.session import Scope, about_run, about_topics, everything, in_no_run, session
from crypto.kms import open_kms
from schemas.actions import ActionRefused, ApprovalRequested
from schemas.authority import AUTHORITY
from schemas.names import Role
from schemas.runs import HaltEngaged, HaltScope
from tests.commands import ended, said_by
from tests.faults.installation import ask, halt, is_a, is_end, prepared, until, up


async def turned(folder: DataFolder) -> None:
    with open_kms(folder.settings().kms, folder.kms) as kms:
        await turn(folder, site_of(folder), kms)


async def read(folder: DataFolder, scope: Scope, *, partial: bool = False) -> list[Recorded]:
    async with session(folder.root, Role.ADMIN, scope=scope, partial=partial) as opened:
        return opened.past


def of(*topics: str) -> Callable[[Recorded], bool]:
    return lambda one: one.event.run is None or AUTHORITY[one.event.type][0] in topics


async def test_a_scope_has_what_the_whole_ledger_has_of_it_across_the_archive(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        runs = []
        for epoch in (1, 2):
            runs.append(await ask(folder, "writer", "files.write"))
            await until(folder, runs[-1], is_end)
            await turned(folder)
            if epoch == 1:
                await archive(folder, site_of(folder), 1)
                await drop(folder, site_of(folder), 1, None)
        runs.append(await ask(folder, "writer", "files.write"))
        await until(folder, runs[-1], is_end)

        whole = await read(folder, everything)
        assert [one.event.run for one in whole].count(None) < len(whole) / 2
        assert await read(folder, in_no_run) == [one for one in whole if one.event.run is None]
        for run in runs:
            own = [one for one in whole if one.event.run in (None, run)]
            assert await read(folder, about_run(run)) == own
            assert {one.event.run for one in own} == {None, run}
        topics = ("request", "run")
        some = [one for one in whole if of(*topics)(one)]
        assert await read(folder, about_topics(*topics), partial=True) == some

        # What is signed after so little was read stands like any other.
        async with session(folder.root, Role.ADMIN, scope=in_no_run, content=False) as opened:
            body = HaltEngaged(scope=HaltScope.AGENT, target="nobody", reason="to see it stand")
            pen = opened.pen(Role.ADMIN, None)
            index = await say(opened.client, opened.reader, pen, body, run=None)
            assert index == await end_of_ledger(opened.client)
        assert (await read(folder, everything))[-1].event.body == body

        listed = await said_by(folder, "runs")
        assert [(one["run"], one["state"]) for one in listed] == [(run, "success") for run in runs]
        (status,) = await said_by(folder, "status")
        (quick,) = await said_by(folder, "status", "--quick")
        assert status["live_runs"] == [] and status["entries"] == quick["entries"] == index
        assert "live_runs" not in quick
        lines = await said_by(folder, "tail", "--no-follow", "--run", runs[0])
        assert {one["run"] for one in lines} == {runs[0]}


async def test_a_question_is_found_and_answered_among_those_that_are_over(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        asked = []
        for _ in range(3):
            run = await ask(folder, "writer", "files.write", effects=())
            question = (await until(folder, run, is_a(ApprovalRequested)))[-1].event.body
            assert isinstance(question, ApprovalRequested)
            asked.append((run, question.proposal.hex()))
        (first, _), (second, denied), (third, open_now) = asked
        await halt(folder, first, "enough")
        await until(folder, first, is_end)
        assert (await ended(folder, "deny", denied, "--note", "no"))[0] == 0
        await until(folder, second, is_a(ActionRefused))
        await turned(folder)
        waiting = {one["proposal"]: one["run"] for one in await said_by(folder, "questions")}
        assert waiting[open_now] == third and denied not in waiting
        assert first not in waiting.values()
        code, _, problem = await ended(folder, "approve", denied)
        assert code != 0 and "0 open questions" in problem
        assert (await ended(folder, "approve", open_now[:12]))[0] == 0


@pytest.mark.parametrize("words", [("approve", "ffff"), ("deny", "")])
async def test_no_question_of_that_name_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        code, _, problem = await ended(folder, *words)
        assert code != 0 and "0 open questions" in problem
