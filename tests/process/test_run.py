"""Runs through all the real processes: from a request to receipts, and whatever stops one."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bus.decider import Recorded
from bus.folder import DataFolder
from console.author import new_run_id, say
from console.commands.approvals import answer
from console.errors import NoSuch
from console.session import session
from schemas.actions import (
    ActionFinished,
    ActionOutcome,
    ActionRefused,
    ActionStarted,
    ApprovalDecided,
    ApprovalRequested,
    Decision,
    ProposalMade,
    ReceiptIssued,
    Verdict,
    VerdictGiven,
)
from schemas.content import Sealed, value_of
from schemas.leases import Intent, Unanswered
from schemas.names import Classification, Role
from schemas.runs import (
    LeaseRenewed,
    RunCompleted,
    RunHalted,
    RunOutcome,
    RunParked,
    RunRefused,
    RunRequested,
)
from schemas.tools import Effect
from tests.faults.installation import (
    ROOT,
    STEPS,
    TOKEN,
    Running,
    Watched,
    ask,
    below,
    configure,
    halt,
    is_a,
    is_end,
    killed,
    pen_of_rep,
    prepared,
    until,
    up,
)

WRITER = [f"note-{step}.txt" for step in range(STEPS)]


def bodies(entries: list[Recorded], kind: type) -> list[Recorded]:
    return [recorded for recorded in entries if isinstance(recorded.event.body, kind)]


def written(folder: DataFolder) -> list[str]:
    return sorted(path.name for path in (folder.root / "files").iterdir())


def sooner(folder: DataFolder, lines: str) -> None:
    text = folder.settings_file.read_text()
    folder.settings_file.write_text(text.replace("[policy]", f"[policy]\n{lines}", 1))


async def waiting_run(folder: DataFolder) -> str:
    """A run whose first step waits for a person."""
    run = await ask(folder, "writer", "files.write", effects=())
    await until(folder, run, is_a(ApprovalRequested))
    return run


async def decide(
    folder: DataFolder,
    run: str,
    decision: Decision,
    person: str | None = None,
    *,
    text: str = "",
    number: int = 1,
) -> None:
    """Answer the run's question of that number."""
    entries = await until(folder, run, _nth(ApprovalRequested, number))
    asked = entries[-1].event.body
    assert isinstance(asked, ApprovalRequested)
    async with session(folder.root, Role.ADMIN) as opened:
        await answer(opened, asked.proposal.hex(), decision, "", person, text)


async def test_a_clean_run_succeeds_with_a_receipt_for_every_effect(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await ask(folder, "writer", "files.write")
        entries = await until(folder, run, is_end)
    end = entries[-1].event.body
    assert isinstance(end, RunCompleted)
    assert end.outcome is RunOutcome.SUCCESS
    finished = [recorded.event.body for recorded in bodies(entries, ActionFinished)]
    assert [f.outcome for f in finished if isinstance(f, ActionFinished)] == [
        ActionOutcome.CONFIRMED
    ] * STEPS
    assert set(end.receipts) == {recorded.digest for recorded in bodies(entries, ReceiptIssued)}
    assert len(end.receipts) == STEPS
    assert written(folder) == WRITER


async def test_what_waits_for_a_person_holds_no_process_and_acts_once_the_admin_approves(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    sooner(folder, "park_s = 1")
    before = {process.pid for process in below(os.getpid())}
    async with up(folder) as supervisor:
        run = await waiting_run(folder)
        its = [one for one in below(os.getpid()) if one.pid not in before]
        watched = Watched([one for one in its if named([one]) & {"runtime", "judge"}])
        await until(folder, run, is_a(RunParked))
        assert watched.outliving(30) == []
        await killed(supervisor, "orchestrator")
        assert written(folder) == []
        await decide(folder, run, Decision.APPROVE)
        entries = await until(folder, run, _nth(ApprovalRequested, 2))
    assert len(bodies(entries, LeaseRenewed)) == len(bodies(entries, RunParked)) == 1
    acted = [r.event.body for r in entries if isinstance(r.event.body, ActionFinished)]
    verdict = bodies(entries, VerdictGiven)[0].event.body
    assert isinstance(verdict, VerdictGiven)
    assert verdict.verdict is Verdict.ROUTE_TO_HUMAN
    assert [action.outcome for action in acted] == [ActionOutcome.CONFIRMED]
    assert written(folder) == WRITER[:1]


async def test_a_question_that_nobody_answers_in_time_ends_a_run_that_was_to_stop_then(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    sooner(folder, "park_s = 1\napproval_s = 2")
    async with up(folder):
        run = await ask(folder, "writer", "files.write", effects=(), unanswered=Unanswered.STOP)
        entries = await until(folder, run, is_end)
    end = entries[-1].event.body
    assert isinstance(end, RunCompleted)
    assert (end.outcome, bodies(entries, ActionStarted)) == (RunOutcome.EXPIRED, [])
    refused = bodies(entries, ActionRefused)[0].event.body
    assert isinstance(refused, ActionRefused)
    assert "expired: nobody answered in time" in refused.reason
    assert bodies(entries, ApprovalDecided) == []


async def test_what_two_must_approve_acts_on_the_second_persons_word_and_not_on_the_same_ones(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    sooner(folder, 'four_eyes = ["mutation"]')
    text = folder.settings_file.read_text()
    folder.settings_file.write_text(text.replace('admins = ["ada"]', 'admins = ["ada", "bob"]'))
    async with up(folder):
        run = await ask(folder, "writer", "files.write")
        await decide(folder, run, Decision.APPROVE, "ada")
        with pytest.raises(NoSuch, match="ada has approved"):
            await decide(folder, run, Decision.APPROVE, "ada")
        assert written(folder) == []
        await decide(folder, run, Decision.APPROVE, "bob")
        entries = await until(folder, run, is_a(ActionFinished, ActionRefused))
    assert isinstance(entries[-1].event.body, ActionFinished)
    assert written(folder) == WRITER[:1]


async def test_what_the_admin_wants_changed_is_asked_about_anew_and_what_they_deny_is_not_done(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await waiting_run(folder)
        await decide(folder, run, Decision.CHANGE, text='{"content": "shorter"}')
        await decide(folder, run, Decision.DENY, number=2)
        entries = await until(folder, run, _nth(ActionRefused, 2))
    changed, denied = (one.event.body for one in bodies(entries, ActionRefused))
    assert isinstance(changed, ActionRefused) and isinstance(denied, ActionRefused)
    assert "ada wants another plan" in changed.reason
    assert "layer 14" in denied.reason
    first, second = (one.event.body for one in bodies(entries, ProposalMade)[:2])
    assert isinstance(first, ProposalMade) and isinstance(second, ProposalMade)
    assert value_of(second.arguments) == {**value_of(first.arguments), "content": "shorter"}
    (said,) = (one.published for one in bodies(entries, ApprovalDecided)[:1])
    assert isinstance(said.body, ApprovalDecided) and isinstance(said.body.change, Sealed)
    assert said.classification is Classification.CONFIDENTIAL
    assert bodies(entries, ActionStarted) == []
    assert written(folder) == []


async def test_a_halted_run_stops_before_its_next_effect_and_says_why(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await waiting_run(folder)
        await decide(folder, run, Decision.APPROVE)
        again = _nth(ApprovalRequested, 2)
        await until(folder, run, again)
        await halt(folder, run, "enough for today")
        seen: set[type] = set()

        def both(recorded: Recorded) -> bool:
            seen.add(type(recorded.event.body))
            return {RunHalted, ActionRefused} <= seen

        entries = await until(folder, run, both)
    halted = bodies(entries, RunHalted)[0].event.body
    assert isinstance(halted, RunHalted)
    assert halted.reason == "enough for today"
    refused = bodies(entries, ActionRefused)[0].event.body
    assert isinstance(refused, ActionRefused)
    assert "halt" in refused.reason
    assert len(bodies(entries, ActionStarted)) == 1
    assert written(folder) == WRITER[:1]


async def test_a_request_for_a_tool_that_policy_does_not_declare_is_refused(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    async with up(folder):
        run = await ask(folder, "writer", "files.shred")
        entries = await until(folder, run, is_end)
    refused = entries[-1].event.body
    assert isinstance(refused, RunRefused)
    assert "files.shred" in refused.reason
    assert refused.fix


async def test_a_request_of_a_rep_who_is_no_longer_active_is_refused(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home", reps=("ann", "bob"))
    async with up(folder):
        pass
    configure(folder, reps=("ann",))
    async with up(folder):
        run = new_run_id(1)
        wish = RunRequested(
            rep="bob",
            agent="writer",
            intent=Intent(summary="one more", effects=(Effect.MUTATION,)),
            tools=("files.write",),
            ttl_s=60,
            max_actions=9,
        )
        async with session(folder.root, Role.REP) as opened:
            await say(opened.client, opened.reader, pen_of_rep(folder, "bob"), wish, run=run)
        entries = await until(folder, run, is_end)
    refused = entries[-1].event.body
    assert isinstance(refused, RunRefused)
    assert refused.reason == "rep bob is not active"
    assert written(folder) == []


async def test_down_leaves_no_process_behind_even_in_the_middle_of_a_run(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    before = {process.pid for process in below(os.getpid())}
    async with up(folder):
        await waiting_run(folder)
        mine = [process for process in below(os.getpid()) if process.pid not in before]
        assert {"nats-server", "sidecar", "orchestrator", "runtime", "judge"} <= named(mine)
        watched = Watched(mine)
    assert watched.outliving(0) == []


async def test_a_killed_supervisor_takes_every_process_with_it(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "home")
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "console.main", "up", "--data", str(folder.root), "--json"),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert supervisor.stdout is not None
        async with asyncio.timeout(40):
            assert json.loads(await supervisor.stdout.readline())["up"]
        await waiting_run(folder)
        mine = below(supervisor.pid)
        assert {"nats-server", "sidecar", "orchestrator", "runtime", "judge"} <= named(mine)
        watched = Watched(mine)
    finally:
        with contextlib.suppress(ProcessLookupError):
            supervisor.send_signal(signal.SIGKILL)
        await supervisor.wait()
    assert watched.outliving(30) == []


async def test_no_secret_is_in_any_argument_or_environment_while_a_run_is_live(
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "home")
    before = {process.pid for process in below(os.getpid())}
    async with up(folder):
        await waiting_run(folder)
        mine = [process for process in below(os.getpid()) if process.pid not in before]
    secrets = kept_secrets(folder)
    assert TOKEN.encode() in secrets
    assert len(secrets) > 10
    for process in mine:
        shown = "\0".join(process.argv).encode() + b"\0" + process.environ
        assert not [secret for secret in secrets if secret in shown], process.argv
        # A run's keys are nowhere on disk; its bus seed and token have a form of their own.
        assert re.search(rb"S[UAOPN][A-Z2-7]{56}|eyJ[\w-]{20,}\.", shown) is None, process.argv
    components = [p for p in mine if p.argv[1:3] == ("-I", "-m")]
    assert named(components) == {"sidecar", "orchestrator", "runtime", "judge"}
    for process in components:
        standing = ("--data", str(folder.root)) if "--data" in process.argv else ()
        # Who stands is told where signs of life are looked for, and nobody anything else.
        told = [one.partition(b"=")[0] for one in process.environ.split(b"\0") if one]
        assert told == ([b"ANYTEAM_BEAT"] if standing else []), process.argv
        assert process.argv[3:] in MODULES | {module + standing for module in MODULES}


MODULES = {
    ("sidecar",),
    ("sidecar.supervision",),
    ("agents", "orchestrator"),
    ("agents", "runtime"),
    ("judge",),
    ("bus.nursery", "agents", "runtime"),
    ("bus.nursery", "judge"),
}


def named(processes: list[Running]) -> set[str]:
    """Which of our parts these processes are; what stands ready for a run is none yet."""
    parts = {"sidecar", "orchestrator", "runtime", "judge"}
    parted = [process.argv for process in processes if "bus.nursery" not in process.argv]
    found = {word for argv in parted for word in argv if word in parts}
    return found | {Path(process.argv[0]).name for process in processes}.intersection(
        {"nats-server"}
    )


def kept_secrets(folder: DataFolder) -> set[bytes]:
    """The words of every secret file of the installation, and the credential in its vault."""
    found = {TOKEN.encode()}
    for pattern in ("*.key", "*.mac", "*.nk", "*.creds", "*.seed"):
        for path in folder.root.rglob(pattern):
            found |= {word for word in path.read_bytes().split() if len(word) >= 32}
    return {word for word in found if not word.startswith(b"***")}


def _nth(kind: type, number: int) -> "Counted":
    return Counted(kind, number)


class Counted:
    """The condition that this is the run's `number`th entry of a kind."""

    def __init__(self, kind: type, number: int) -> None:
        self.kind, self.left = kind, number

    def __call__(self, recorded: Recorded) -> bool:
        self.left -= isinstance(recorded.event.body, self.kind)
        return self.left == 0


@pytest.fixture(autouse=True)
def _nothing_left_over() -> None:
    """Tests here look at this process's own children."""
