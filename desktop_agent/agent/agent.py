"""The agent's life: it does what it is asked, one capture at a time, and sends what is due.

The queue is written first, always (see `dictating`). It ends when nobody asks any more: then it
hears nothing further, and what was heard stays in the queue.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

import msgspec

from desktop_agent.agent.changing import changed
from desktop_agent.agent.messages import (
    AskSources,
    Change,
    Choices,
    Failed,
    Heard,
    Here,
    Left,
    Listening,
    Pause,
    Paused,
    Queued,
    Resume,
    Start,
    Stop,
    Stopped,
    Told,
    Withdraw,
    Word,
)
from desktop_agent.capture.messages import Ended, Ready, Said, Segment
from desktop_agent.capturing import Capture, choices, opened, start_capture
from desktop_agent.dictating import Dictation, keep_sending
from desktop_agent.enrolled import Enrolled, enrolled_in, is_enrolled
from desktop_agent.errors import AudioMissing, AudioRefused, NoSuchSegment
from desktop_agent.home import change_settings, settings_in
from desktop_agent.ordering import order_for
from desktop_agent.queue import Queue, Waiting
from desktop_agent.queue import opened as opened_queue
from schemas.captures import TranscriptSynced
from schemas.content import opened as content_of
from schemas.errors import AnyTeamError

_LOOK_S: Final = 0.5
"""How often the queue is looked at, which other processes of this device change too."""

Say = Callable[[Told], None]


class Agent:
    """Serves one program. `bus` is where the bus is by now, if not where it was."""

    def __init__(self, home: Path, bus: str | None, say: Say) -> None:
        self._home, self._bus, self._say = home, bus, say
        self._enrolled: Enrolled | None = enrolled_in(home) if is_enrolled(home) else None
        self._queue: Queue | None = None
        self._capture: Capture | None = None
        self._listening: asyncio.Task[None] | None = None
        self._dictation: Dictation | None = None
        self._away = ""
        self._shown: set[int] = set()
        self._withdrawn: set[int] = set()
        self._counted: Queued | None = None

    async def serve(self, words: AsyncIterator[Word]) -> None:
        """Do what `words` ask, until they end. Raises a `DesktopError` where nothing can be done:
        the settings are out of form, or the queue is damaged.
        """
        self._tell_here()
        with ExitStack() as stack:
            chores = [asyncio.ensure_future(self._asked(words))]
            if self._enrolled is not None:
                self._queue = queue = stack.enter_context(opened_queue(self._home))
                chores.append(asyncio.ensure_future(self._look(queue)))
                chores.append(
                    asyncio.ensure_future(
                        keep_sending(self._enrolled, queue, self._bus, self._note_away)
                    )
                )
            try:
                done, _ = await asyncio.wait(chores, return_when=asyncio.FIRST_COMPLETED)
                for chore in done:
                    chore.result()
            finally:
                if self._listening is not None:
                    chores.append(self._listening)
                for chore in chores:
                    chore.cancel()
                await asyncio.gather(*chores, return_exceptions=True)

    async def _asked(self, words: AsyncIterator[Word]) -> None:
        async for word in words:
            try:
                await self._do(word)
            except AnyTeamError as error:
                self._say(Failed(what=error.what, fix=error.fix))

    async def _do(self, word: Word) -> None:
        match word:
            case Start():
                if self._listening is None or self._listening.done():
                    self._listening = asyncio.ensure_future(self._listen(word))
            case Pause() | Resume():
                await self._pause(isinstance(word, Pause))
            case Stop():
                await self._stop()
            case Withdraw(number):
                self._withdraw(number)
            case Change():
                change_settings(self._home, lambda text: changed(text, word))
                self._tell_here()
            case AskSources():
                self._say(await _choices())

    async def _listen(self, start: Start) -> None:
        """One capture, from the order to its end, which is on record however it comes."""
        dropped = 0
        try:
            with ExitStack() as stack:
                descriptor = stack.enter_context(opened(Path(start.file))) if start.file else None
                order = order_for(self._home, descriptor)
                order = msgspec.structs.replace(order, device=start.source)
                dictation = None
                if self._queue is not None and self._enrolled is not None:
                    dictation = Dictation(
                        self._queue,
                        order,
                        rep=self._enrolled.admission.rep,
                        consent=start.consent,
                        hold_s=settings_in(self._home).hold_s,
                    )
                try:
                    async with await start_capture(order) as capture:
                        self._capture, self._dictation = capture, dictation
                        async for said in capture.said():
                            self._take(said, dictation)
                            if isinstance(said, Ended):
                                dropped = said.dropped
                finally:
                    self._capture = self._dictation = None
                    if dictation is not None:
                        dictation.stop()
        except AnyTeamError as error:
            refused = isinstance(error, AudioRefused)
            self._say(Failed(what=error.what, fix=error.fix, refused=refused, capture=True))
        else:
            self._say(Stopped(dropped))

    def _take(self, said: Said, dictation: Dictation | None) -> None:
        number = dictation.take(said) if dictation is not None else None
        if isinstance(said, Ready):
            absent = said.confinement.absent
            self._say(Listening(tuple(f"{wall.value}: {why}" for wall, why in absent.items())))
        elif isinstance(said, Segment) and number is None:
            self._say(Heard(number=None, due=0, start_ms=said.start_ms, text=said.text))
        elif self._queue is not None:
            self._show(self._queue)

    async def _pause(self, paused: bool) -> None:
        if self._capture is None:
            return
        with suppress(ConnectionError):
            await self._capture.tell("pause" if paused else "resume")
            if self._dictation is not None:
                self._dictation.pause(paused)
            self._say(Paused(paused))

    async def _stop(self) -> None:
        if self._capture is not None:
            with suppress(ConnectionError):
                await self._capture.tell("stop")
        elif self._listening is not None:
            # It does not hear yet, and is not to begin.
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._say(Stopped())

    def _withdraw(self, number: int) -> None:
        if self._queue is None or not self._queue.withdraw(number):
            raise NoSuchSegment(
                f"segment {number} is not held: it has gone, or was withdrawn",
                fix="only what is held can be withdrawn; hold_s says for how long it is",
            )
        self._withdrawn.add(number)
        self._show(self._queue)

    async def _look(self, queue: Queue) -> None:
        while True:
            self._show(queue)
            await asyncio.sleep(_LOOK_S)

    def _show(self, queue: Queue) -> None:
        """Say what is held that was not, what is not that was, and how much waits."""
        held = {w.number: w for w in queue.held() if isinstance(w.noted.body, TranscriptSynced)}
        for number in sorted(self._shown - held.keys()):
            self._shown.remove(number)
            self._say(Left(number=number, withdrawn=number in self._withdrawn))
        for number, one in held.items():
            if number not in self._shown:
                self._shown.add(number)
                self._say(_heard(one))
        counted = Queued(*queue.counts(), self._away)
        if counted != self._counted:
            self._counted = counted
            self._say(counted)

    def _note_away(self, why: str) -> None:
        self._away = why

    def _tell_here(self) -> None:
        settings = settings_in(self._home)
        given = self._enrolled.admission if self._enrolled is not None else None
        self._say(
            Here(
                workspace=given.workspace if given else "",
                device=given.device if given else "",
                rep=given.rep if given else "",
                source=settings.device,
                consent=settings.consent,
                hold_s=settings.hold_s,
                persons=settings.persons,
                organisations=settings.organisations,
            )
        )


async def _choices() -> Choices:
    try:
        return Choices(await choices())
    except AudioMissing as error:
        return Choices((), error.what)


def _heard(waiting: Waiting) -> Heard:
    body = waiting.noted.body
    assert isinstance(body, TranscriptSynced)
    text = str(content_of(body.text))
    return Heard(number=waiting.number, due=waiting.due, start_ms=body.start_ms, text=text)
