"""What the program knows, as a pure function of what it was told and what was pressed.

`evolve` takes either; `words` gives what the agent is asked for once something was pressed. It
shows what the agent said, never what it hopes for: it records when the agent says that it listens.
"""

from enum import StrEnum
from typing import Final

import msgspec
from msgspec import Struct

from desktop_agent.agent.messages import (
    AskSources,
    Change,
    Choice,
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
    Source,
    Start,
    Stop,
    Stopped,
    Told,
    Withdraw,
    Word,
)

MAX_LINES: Final = 500
"""Of a long conversation the latest are shown; the others are in the queue, or went."""


class Phase(StrEnum):
    """`STARTING` and `ENDING`: asked for, and not yet so. `GONE`: there is no agent any more."""

    IDLE = "idle"
    STARTING = "starting"
    RECORDING = "recording"
    PAUSED = "paused"
    ENDING = "ending"
    GONE = "gone"


class Fate(StrEnum):
    """What became of a segment."""

    SHOWN = "shown"
    HELD = "held"
    GOING = "going"
    WITHDRAWN = "withdrawn"


class Line(Struct, frozen=True, kw_only=True):
    """A segment; `number` is what it is withdrawn by."""

    number: int | None
    start_ms: int
    text: str
    fate: Fate


class Trouble(Struct, frozen=True, kw_only=True):
    """What went wrong, and what to do. `refused`: the system keeps the microphone from us."""

    what: str
    fix: str
    refused: bool = False


class State(Struct, frozen=True, kw_only=True):
    """`source` and `file` are what was chosen; a file goes before a device."""

    phase: Phase = Phase.IDLE
    here: Here | None = None
    sources: tuple[Choice, ...] = ()
    silent: str = ""
    source: Source = None
    file: str = ""
    consent: str = ""
    lines: tuple[Line, ...] = ()
    trouble: Trouble | None = None
    queued: Queued = Queued(0, 0)
    dropped: int = 0
    absent: tuple[str, ...] = ()


class Toggled(Struct, frozen=True):
    """Start listening, or stop: the button, the tray, or the key."""


class PauseToggled(Struct, frozen=True):
    """Pause, or go on."""


class SourceChosen(Struct, frozen=True, kw_only=True):
    """What to listen to next time."""

    source: Source = None
    file: str = ""


class ConsentNoted(Struct, frozen=True):
    """The note with which the next capture begins."""

    text: str


class WithdrawPressed(Struct, frozen=True):
    """Take a held segment back."""

    number: int


class SourcesWanted(Struct, frozen=True):
    """Look again for what can be listened to."""


class SettingsChosen(Struct, frozen=True):
    """Settings as they should be."""

    change: Change


class AgentGone(Struct, frozen=True):
    """The agent's process has ended by itself."""

    why: str


Pressed = (
    Toggled
    | PauseToggled
    | SourceChosen
    | ConsentNoted
    | WithdrawPressed
    | SourcesWanted
    | SettingsChosen
)
Happening = Told | Pressed | AgentGone

_LIVE: Final = (Phase.STARTING, Phase.RECORDING, Phase.PAUSED)


def listens(state: State) -> bool:
    """Whether the agent hears now, or is about to."""
    return state.phase in (*_LIVE, Phase.ENDING)


def words(state: State, pressed: Pressed) -> tuple[Word, ...]:
    """What the agent is asked for, in `state`, by what was pressed."""
    match pressed:
        case Toggled() if state.phase is Phase.IDLE:
            return (Start(source=state.source, file=state.file, consent=state.consent),)
        case Toggled() if state.phase in _LIVE:
            return (Stop(),)
        case PauseToggled() if state.phase is Phase.RECORDING:
            return (Pause(),)
        case PauseToggled() if state.phase is Phase.PAUSED:
            return (Resume(),)
        case WithdrawPressed(number) if _is_held(state, number):
            return (Withdraw(number),)
        case SourcesWanted() if state.phase is not Phase.GONE:
            return (AskSources(),)
        case SettingsChosen(change) if state.phase is not Phase.GONE:
            return (change,)
    return ()


def evolve(state: State, happening: Happening) -> State:
    """The state after it."""
    change = msgspec.structs.replace
    match happening:
        case Toggled() if state.phase is Phase.IDLE:
            return change(state, phase=Phase.STARTING, trouble=None, dropped=0, lines=_kept(state))
        case Toggled() if state.phase in _LIVE:
            return change(state, phase=Phase.ENDING)
        case SourceChosen(source=source, file=file):
            return change(state, source=source, file=file)
        case ConsentNoted(text):
            return change(state, consent=text)
        case AgentGone(why):
            # What it said last says more than that it ended.
            ended = Trouble(what=why, fix="what was heard is kept; start the program again")
            return change(state, phase=Phase.GONE, trouble=state.trouble or ended)
        case Toggled() | PauseToggled() | WithdrawPressed() | SourcesWanted() | SettingsChosen():
            return state
        case _:
            return _told(state, happening)


def _told(state: State, told: Told) -> State:
    change = msgspec.structs.replace
    match told:
        case Here():
            # The settings' own, until the rep chooses otherwise.
            fresh = state.here is None or state.here.consent == state.consent
            consent = told.consent if fresh else state.consent
            same = state.here is None or state.here.source == state.source
            source = told.source if same else state.source
            return change(state, here=told, consent=consent, source=source, trouble=None)
        case Choices(sources, why):
            return change(state, sources=sources, silent=why)
        case Listening(absent):
            phase = Phase.RECORDING if state.phase is Phase.STARTING else state.phase
            return change(state, phase=phase, absent=absent)
        case Paused(paused):
            if state.phase not in (Phase.RECORDING, Phase.PAUSED):
                return state
            return change(state, phase=Phase.PAUSED if paused else Phase.RECORDING)
        case Heard():
            fate = Fate.SHOWN if told.number is None else Fate.HELD
            line = Line(number=told.number, start_ms=told.start_ms, text=told.text, fate=fate)
            return change(state, lines=(*state.lines, line)[-MAX_LINES:])
        case Left(number=number, withdrawn=withdrawn):
            return change(state, lines=_with_fate(state.lines, number, withdrawn))
        case Stopped(dropped):
            return change(state, phase=Phase.IDLE, dropped=dropped)
        case Failed():
            trouble = Trouble(what=told.what, fix=told.fix, refused=told.refused)
            return change(state, phase=Phase.IDLE if told.capture else state.phase, trouble=trouble)
        case Queued():
            return change(state, queued=told)


def _kept(state: State) -> tuple[Line, ...]:
    """Of earlier captures what can still be withdrawn."""
    return tuple(line for line in state.lines if line.fate is Fate.HELD)


def _is_held(state: State, number: int) -> bool:
    return any(line.number == number and line.fate is Fate.HELD for line in state.lines)


def _with_fate(lines: tuple[Line, ...], number: int, withdrawn: bool) -> tuple[Line, ...]:
    change = msgspec.structs.replace
    return tuple(
        line
        if line.number != number
        # Its words are no longer anybody's to see.
        else change(line, fate=Fate.WITHDRAWN, text="")
        if withdrawn
        else change(line, fate=Fate.GOING)
        for line in lines
    )
