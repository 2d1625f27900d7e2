"""Sound is cut where a voice begins and ends, and nothing of it is lost or doubled."""

from hypothesis import given
from hypothesis import strategies as st

from desktop_agent.speech.utterances import FRAME_MS, Cutting, Utterance, cut, finish

VOICE, QUIET = True, False


def uttered(pattern: list[bool]) -> list[Utterance]:
    state, found = Cutting(), []
    for number, voiced in enumerate(pattern):
        state, one = cut(state, number.to_bytes(2, "big"), voiced)
        found += [one] if one else []
    last = finish(state)
    return [*found, *([last] if last else [])]


def test_silence_is_dropped() -> None:
    assert uttered([QUIET] * 500) == []


def test_a_click_is_no_utterance() -> None:
    assert uttered([QUIET] * 50 + [VOICE] * 4 + [QUIET] * 50) == []


def test_an_utterance_begins_before_the_voice_was_sure_and_ends_after_it_is_gone() -> None:
    (one,) = uttered([QUIET] * 20 + [VOICE] * 30 + [QUIET] * 40)
    assert one.start_ms == (25 - 10) * FRAME_MS
    assert one.end_ms == (20 + 30 + 23) * FRAME_MS


def test_a_pause_for_breath_does_not_end_it_and_a_long_one_does() -> None:
    speech = [VOICE] * 30
    assert len(uttered(speech + [QUIET] * 22 + speech)) == 1
    assert len(uttered(speech + [QUIET] * 23 + speech)) == 2


def test_speech_without_a_pause_is_cut_where_the_model_hears_no_further() -> None:
    found = uttered([VOICE] * 2_000)
    assert all(one.end_ms - one.start_ms <= 25_000 for one in found)
    assert len(found) == 3


def test_what_is_being_said_at_the_end_is_not_lost() -> None:
    (one,) = uttered([VOICE] * 10)
    assert one.end_ms == 10 * FRAME_MS


@given(st.lists(st.booleans(), max_size=400))
def test_utterances_hold_the_frames_of_their_time_in_order(pattern: list[bool]) -> None:
    end = 0
    for one in uttered(pattern):
        assert end <= one.start_ms < one.end_ms
        first, last = one.start_ms // FRAME_MS, one.end_ms // FRAME_MS
        assert one.pcm == b"".join(n.to_bytes(2, "big") for n in range(first, last))
        end = one.end_ms


@given(st.lists(st.booleans(), max_size=300))
def test_every_voice_of_five_frames_together_is_in_an_utterance(pattern: list[bool]) -> None:
    covered = {
        n
        for one in uttered(pattern)
        for n in range(one.start_ms // FRAME_MS, one.end_ms // FRAME_MS)
    }
    for start in range(len(pattern) - 4):
        if all(pattern[start : start + 5]):
            assert set(range(start, start + 5)) <= covered
