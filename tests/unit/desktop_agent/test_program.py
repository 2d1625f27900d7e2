"""What the desktop program knows and shows: as the agent says, never as it hopes."""

import msgspec
import pytest

from desktop_agent.agent.messages import (
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
    Start,
    Stop,
    Stopped,
    Withdraw,
)
from desktop_agent.program.model import (
    MAX_LINES,
    AgentGone,
    ConsentNoted,
    Fate,
    Happening,
    PauseToggled,
    Phase,
    Pressed,
    SettingsChosen,
    SourceChosen,
    State,
    Toggled,
    WithdrawPressed,
    evolve,
    words,
)
from desktop_agent.program.view import Mark, clock, screen

HERE = Here(
    workspace="acme",
    device="ann-laptop",
    rep="ann",
    source=None,
    consent="all agreed",
    hold_s=30,
    persons=(),
    organisations=(),
)
REFUSED = Failed(what="the system does not let this program hear", fix="allow it", refused=True)


def after(*happenings: Happening, state: State | None = None) -> State:
    state = state or State()
    for happening in happenings:
        state = evolve(state, happening)
    return state


def heard(number: int | None = 1, text: str = "hello") -> Heard:
    return Heard(number=number, due=0, start_ms=61_000, text=text)


def test_it_starts_with_what_was_chosen_and_records_once_the_agent_says_so() -> None:
    state = after(HERE, SourceChosen(source=3), ConsentNoted("both said yes"))
    assert words(state, Toggled()) == (Start(source=3, consent="both said yes"),)
    state = after(Toggled(), state=state)
    assert state.phase is Phase.STARTING and screen(state).mark is Mark.RECORDING
    state = after(Listening(), state=state)
    assert state.phase is Phase.RECORDING
    assert screen(state).reminder and screen(state).can_pause


@pytest.mark.parametrize(
    ("phase", "pressed", "asked"),
    [
        (Phase.STARTING, Toggled(), Stop()),
        (Phase.RECORDING, Toggled(), Stop()),
        (Phase.PAUSED, Toggled(), Stop()),
        (Phase.RECORDING, PauseToggled(), Pause()),
        (Phase.PAUSED, PauseToggled(), Resume()),
    ],
)
def test_a_press_asks_for_one_thing(phase: Phase, pressed: Pressed, asked: object) -> None:
    assert words(State(phase=phase, here=HERE), pressed) == (asked,)


@pytest.mark.parametrize("phase", [Phase.IDLE, Phase.ENDING, Phase.GONE])
def test_nothing_is_paused_that_does_not_hear(phase: Phase) -> None:
    assert words(State(phase=phase), PauseToggled()) == ()


def test_an_agent_that_is_gone_is_asked_for_nothing_and_nothing_seems_to_hear() -> None:
    state = after(HERE, Toggled(), Listening(), AgentGone("it ended"))
    change = Change(device=None, consent="", hold_s=1, persons=(), organisations=())
    for pressed in (Toggled(), PauseToggled(), SettingsChosen(change)):
        assert words(state, pressed) == ()
    assert screen(state).reminder == "" and not screen(state).can_toggle


def test_a_refused_microphone_gives_a_clear_message_and_nothing_else() -> None:
    failed = msgspec.structs.replace(REFUSED, capture=True)
    shown = screen(after(HERE, Toggled(), failed))
    assert (shown.headline, shown.alert, shown.alert_fix) == (
        "Microphone refused",
        failed.what,
        failed.fix,
    )
    assert shown.rows == () and shown.empty == "" and shown.reminder == ""
    assert shown.toggle == "Start listening" and shown.can_toggle


def test_a_trouble_beside_the_capture_leaves_it_running_and_a_new_start_forgets_it() -> None:
    state = after(HERE, Toggled(), Listening(), Failed(what="segment 7 is not held", fix=""))
    assert state.phase is Phase.RECORDING and screen(state).alert == "segment 7 is not held"
    assert after(Stopped(), Toggled(), state=state).trouble is None


def test_a_held_segment_can_be_withdrawn_and_its_words_are_gone_from_the_screen() -> None:
    state = after(HERE, Toggled(), Listening(), heard(7, "a secret"))
    assert screen(state).rows[0].withdraw == 7 and screen(state).rows[0].time == "1:01"
    assert words(state, WithdrawPressed(7)) == (Withdraw(7),)
    assert words(state, WithdrawPressed(8)) == ()
    state = after(Left(number=7, withdrawn=True), state=state)
    assert words(state, WithdrawPressed(7)) == ()
    assert "a secret" not in str(screen(state)) and "a secret" not in str(state)


def test_a_segment_that_went_or_is_not_kept_cannot_be_withdrawn() -> None:
    state = after(HERE, heard(1), heard(None), Left(number=1, withdrawn=False))
    assert [line.fate for line in state.lines] == [Fate.GOING, Fate.SHOWN]
    assert [row.withdraw for row in screen(state).rows] == [None, None]


def test_a_new_capture_shows_of_the_last_what_can_still_be_withdrawn() -> None:
    state = after(HERE, heard(1), heard(2), Left(number=1, withdrawn=False), Toggled())
    assert [line.number for line in state.lines] == [2]


def test_a_long_conversation_does_not_grow_without_end() -> None:
    state = after(HERE, *(heard(number) for number in range(1, MAX_LINES + 9)))
    assert len(state.lines) == MAX_LINES and state.lines[-1].number == MAX_LINES + 8


def test_offline_is_said_with_what_waits_and_why() -> None:
    shown = screen(after(HERE, Queued(2, 5, "nobody answers")))
    assert "2 items held and 5 waiting" in shown.alert and shown.alert_fix == "nobody answers"
    assert shown.mark is Mark.TROUBLE
    assert screen(after(HERE, Queued(0, 0))).alert == ""


def test_a_pause_that_comes_after_the_end_is_none() -> None:
    state = after(HERE, Toggled(), Listening(), Toggled(), Paused(True), Stopped())
    assert state.phase is Phase.IDLE


def test_settings_that_come_anew_leave_what_the_rep_chose_here() -> None:
    chosen = after(HERE, SourceChosen(source=4), ConsentNoted("only Dana"))
    new = msgspec.structs.replace(HERE, source=9, consent="changed")
    assert (after(new, state=chosen).source, after(new, state=chosen).consent) == (4, "only Dana")
    assert (after(HERE, new).source, after(HERE, new).consent) == (9, "changed")


def test_sources_are_offered_by_name_and_a_file_by_its_last_part() -> None:
    choice = Choice(number=4, name="Monitor of Built-in Audio", default=False)
    state = after(HERE, Choices((choice,)), SourceChosen(source=4))
    assert screen(state).chosen == "Monitor of Built-in Audio"
    assert [option.source for option in screen(state).options] == [None, 4]
    assert screen(after(SourceChosen(file="/a/b/call.wav"), state=state)).chosen.endswith(
        "call.wav"
    )


def test_a_machine_without_a_way_to_ask_for_sources_says_what_is_missing() -> None:
    assert "no PortAudio" in screen(after(HERE, Choices((), "no PortAudio"))).detail


def test_a_machine_that_is_not_enrolled_says_that_nothing_goes_anywhere() -> None:
    shown = screen(after(msgspec.structs.replace(HERE, device="", workspace="", rep="")))
    assert "goes nowhere" in shown.detail and shown.footer == "Not enrolled"


def test_times_have_hours_where_there_are_any() -> None:
    assert (clock(59_999), clock(3_600_000)) == ("0:59", "1:00:00")
