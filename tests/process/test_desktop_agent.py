"""The agent behind the desktop program: asked in words, on an enrolled machine without a bus."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from desktop_agent.agent.messages import (
    Change,
    Failed,
    Heard,
    Here,
    Left,
    Listening,
    Paused,
    Queued,
    Resume,
    Start,
    Stop,
    Stopped,
    Told,
    Withdraw,
    Word,
    decode_told,
    encode,
)
from desktop_agent.agent.messages import Pause as PauseWord
from desktop_agent.home import found
from desktop_agent.model.prepare import prepare, weights_folder
from desktop_agent.queue import opened
from schemas.captures import CaptureStopped, TranscriptSynced
from schemas.content import opened as content_of
from tests.desktop.machine import admit
from tests.desktop.sound import endless

SAID = ("Good morning, my name is Patrick Doyle.", "Please send me the contract this week.")
PATIENCE_S = 120

T = TypeVar("T", bound=Told)


class Asked:
    """The agent's process, as the program has it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.told: list[Told] = []

    def ask(self, word: Word) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(encode(word))

    async def next(self, kind: type[T]) -> T:
        """The next of its kind that it says."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            while line := await self.process.stdout.readline():
                self.told.append(told := decode_told(line))
                if isinstance(told, kind):
                    return told
        raise AssertionError(f"it ended, and said no {kind.__name__}")

    async def heard(self, count: int) -> list[Heard]:
        """So many segments, the first that it said, or says."""
        while len(found := [told for told in self.told if isinstance(told, Heard)]) < count:
            await self.next(Heard)
        return found[:count]

    async def end(self) -> int:
        """Ask nothing more; its exit code."""
        self.process.stdin.close()
        await self.process.stdout.read()
        return await self.process.wait()


@asynccontextmanager
async def agent(home: Path) -> AsyncIterator[Asked]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "desktop_agent.agent", "--home", str(home)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Asked(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = prepare(weights_folder(), tmp_path / "tiny.en.bin")
    home = tmp_path / "home"
    found(home, Path(made.path), made.sha256)
    admit(home)
    # So that a pause finds it hearing, and an end cuts it off, however fast it hears.
    endless(tmp_path / "speech.wav", SAID)
    return home


async def test_the_agent_hears_holds_withdraws_and_says_that_the_bus_is_away(home: Path) -> None:
    speech = str(home.parent / "speech.wav")
    async with agent(home) as asked:
        here = await asked.next(Here)
        assert (here.device, here.rep, here.hold_s) == ("ann-laptop", "ann", 30)
        asked.ask(
            Change(device=None, consent="", hold_s=3600, persons=("Contoso",), organisations=())
        )
        assert (await asked.next(Here)).hold_s == 3600
        asked.ask(Start(file=speech, consent="all agreed"))
        assert (await asked.next(Listening)).absent == ()
        asked.ask(PauseWord())
        assert await asked.next(Paused) == Paused(True)
        asked.ask(Resume())
        first, second = await asked.heard(2)
        assert first.number is not None and "patrick" not in first.text.lower()
        asked.ask(Withdraw(first.number))
        assert await asked.next(Left) == Left(number=first.number, withdrawn=True)
        asked.ask(Withdraw(first.number))
        assert "not held" in (await asked.next(Failed)).what
        asked.ask(Stop())
        await asked.next(Stopped)
        while not any(isinstance(t, Queued) and t.outgoing and t.away for t in asked.told):
            await asked.next(Queued)
        # A second one is cut off in the middle, with the program that asked for it.
        asked.ask(Start(file=speech, consent=""))
        await asked.next(Listening)
        assert await asked.end() == 0
    with opened(home) as queue:
        bodies = [waiting.noted.body for waiting in queue.held()]
        assert queue.state.capture == 2 and not queue.state.open
    assert bodies[-1] == CaptureStopped(capture=2)
    texts = [content_of(body.text) for body in bodies if isinstance(body, TranscriptSynced)]
    assert texts[0] == second.text and first.text != second.text
    settings = (home / "desktop.toml").read_text()
    assert 'persons = ["Contoso"]' in settings and "consent" not in settings


async def test_what_cannot_be_done_is_said_and_the_agent_goes_on(tmp_path: Path) -> None:
    found(tmp_path, tmp_path / "missing.bin", "0" * 64)
    async with agent(tmp_path) as asked:
        await asked.next(Here)
        asked.ask(Stop())
        asked.ask(Start(file=str(tmp_path / "missing.wav")))
        failed = await asked.next(Failed)
        assert failed.capture and "missing.wav cannot be read" in failed.what
        asked.ask(Start())
        failed = await asked.next(Failed)
        assert failed.capture and "missing.bin is not there" in failed.what
        asked.ask(Change(device=None, consent="", hold_s=-1, persons=(), organisations=()))
        assert "hold_s" in (await asked.next(Failed)).what
        assert await asked.end() == 0
