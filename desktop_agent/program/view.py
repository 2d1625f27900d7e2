"""What is on the screen in each state: words, marks, and which buttons can be pressed. Pure."""

from enum import StrEnum

from msgspec import Struct

from desktop_agent.agent.messages import Source
from desktop_agent.program.model import Fate, Line, Phase, State, listens


class Mark(StrEnum):
    """The tray's sign, told apart by shape as well as colour."""

    IDLE = "idle"
    RECORDING = "recording"
    PAUSED = "paused"
    TROUBLE = "trouble"


class Row(Struct, frozen=True, kw_only=True):
    """A line of the transcript; `withdraw` is the number it can be withdrawn by."""

    time: str
    text: str
    note: str
    withdraw: int | None
    withdrawn: bool


class Option(Struct, frozen=True, kw_only=True):
    """Something to listen to, as it is offered."""

    label: str
    source: Source


class Screen(Struct, frozen=True, kw_only=True):
    """All that is shown; `alert` is empty where all is well, `reminder` where nothing hears."""

    mark: Mark
    headline: str
    detail: str
    alert: str
    alert_fix: str
    toggle: str
    can_toggle: bool
    pause: str
    can_pause: bool
    can_choose: bool
    options: tuple[Option, ...]
    chosen: str
    rows: tuple[Row, ...]
    empty: str
    footer: str
    reminder: str
    tooltip: str


_HEADLINES = {
    Phase.IDLE: "Not listening",
    Phase.STARTING: "Getting ready…",
    Phase.RECORDING: "Listening",
    Phase.PAUSED: "Paused",
    Phase.ENDING: "Stopping…",
    Phase.GONE: "Not running",
}
_NOTES = {
    Fate.SHOWN: "not kept",
    Fate.HELD: "held",
    Fate.GOING: "sent on",
    Fate.WITHDRAWN: "withdrawn",
}


def screen(state: State) -> Screen:
    """The screen in `state`."""
    source = source_label(state)
    refused = state.trouble is not None and state.trouble.refused
    return Screen(
        mark=_mark(state),
        headline="Microphone refused" if refused else _HEADLINES[state.phase],
        detail=_detail(state, source),
        alert=_alert(state),
        alert_fix=state.trouble.fix if state.trouble is not None else state.queued.away,
        toggle="Start listening" if not listens(state) else "Stop listening",
        can_toggle=state.phase not in (Phase.ENDING, Phase.GONE) and state.here is not None,
        pause="Go on" if state.phase is Phase.PAUSED else "Pause",
        can_pause=state.phase in (Phase.RECORDING, Phase.PAUSED),
        can_choose=not listens(state) and state.phase is not Phase.GONE,
        options=_options(state),
        chosen=source,
        rows=tuple(_row(line) for line in state.lines),
        empty="" if refused else _empty(state),
        footer=_footer(state),
        reminder=f"{_HEADLINES[state.phase]} · {source}" if listens(state) else "",
        tooltip=f"AnyTeam: {_HEADLINES[state.phase].lower()}",
    )


def source_label(state: State) -> str:
    """What is, or would be, listened to."""
    if state.file:
        return f"Sound file {state.file.replace(chr(92), '/').rpartition('/')[2]}"
    if state.source is None:
        return "The system's default source"
    for one in state.sources:
        if one.number == state.source or one.name == state.source:
            return one.name
    return f"Device {state.source}"


def clock(milliseconds: int) -> str:
    """Minutes and seconds; hours where there are any."""
    minutes, seconds = divmod(milliseconds // 1_000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _mark(state: State) -> Mark:
    match state.phase:
        case Phase.RECORDING | Phase.STARTING | Phase.ENDING:
            return Mark.RECORDING
        case Phase.PAUSED:
            return Mark.PAUSED
        case Phase.GONE:
            return Mark.TROUBLE
    return Mark.TROUBLE if state.trouble is not None or state.queued.away else Mark.IDLE


def _detail(state: State, source: str) -> str:
    match state.phase:
        case Phase.RECORDING:
            return f"{source}. Sound stays in this machine's memory; only redacted text is kept."
        case Phase.PAUSED:
            return f"{source}. Nothing is heard until you go on; the pause is on record."
        case Phase.STARTING:
            return "The speech model is checked and read; nothing is heard yet."
        case Phase.ENDING:
            return "Nothing more is heard; what was said before is still being written."
        case Phase.GONE:
            return "The process that listens and sends has ended."
    if state.trouble is not None and state.trouble.refused:
        return "Nothing was heard, and nothing is being tried again."
    if state.here is not None and not state.here.device:
        return "This machine is not enrolled: text is shown here, and goes nowhere."
    if state.silent:
        return f"Only sound files can be heard: {state.silent}"
    return "Nothing is heard until you start."


def _alert(state: State) -> str:
    if state.trouble is not None:
        return state.trouble.what
    if state.absent and listens(state):
        return f"Walls this system cannot build: {'; '.join(state.absent)}"
    if state.queued.away:
        held, outgoing = _count(state.queued.held, "item"), state.queued.outgoing
        return (
            f"Offline: {held} held and {outgoing} waiting,"
            " sealed on this machine. Each goes once, when the workspace can be reached again."
        )
    if state.dropped:
        return f"{state.dropped} frames were lost: this machine is too slow for the model"
    return ""


def _options(state: State) -> tuple[Option, ...]:
    return (
        Option(label="The system's default source", source=None),
        *(Option(label=one.name, source=one.number) for one in state.sources),
    )


def _row(line: Line) -> Row:
    withdrawn = line.fate is Fate.WITHDRAWN
    return Row(
        time=clock(line.start_ms),
        text="withdrawn before it went" if withdrawn else line.text,
        note=_NOTES[line.fate],
        withdraw=line.number if line.fate is Fate.HELD else None,
        withdrawn=withdrawn,
    )


def _empty(state: State) -> str:
    if state.lines:
        return ""
    return "Waiting for somebody to speak" if listens(state) else "No transcript yet"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _footer(state: State) -> str:
    """What waits, and why it does not arrive."""
    if state.here is None or not state.here.device:
        return "Not enrolled"
    who = f"{state.here.device} of {state.here.workspace}"
    held, outgoing = state.queued.held, state.queued.outgoing
    if outgoing or held:
        way = "waiting for the bus" if state.queued.away else "on their way"
        return f"{who} · {held} held, {outgoing} {way}"
    return f"{who} · All has arrived"
