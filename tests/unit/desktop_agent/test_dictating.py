"""What the listening process says becomes a capture in the queue, its pauses on record."""

from pathlib import Path
from typing import Any

import pytest

from desktop_agent.capture.messages import Ended, Order, Ready, Segment
from desktop_agent.dictating import Dictation, speaker_of
from desktop_agent.queue import opened
from schemas.captures import (
    CapturePaused,
    CaptureResumed,
    CaptureStarted,
    CaptureStopped,
    TranscriptSynced,
)
from schemas.confinement import Confinement
from schemas.names import Classification


def order(**given: Any) -> Order:
    return Order(model="model.bin", token_key=bytes(32), **given)


def test_a_capture_is_noted_from_its_start_to_its_end_with_its_pauses(tmp_path: Path) -> None:
    with opened(tmp_path) as queue:
        dictation = Dictation(queue, order(), rep="ann", consent="all agreed", hold_s=30)
        dictation.pause(True)
        assert queue.counts() == (0, 0)
        dictation.take(Ready(Confinement()))
        dictation.take(
            Segment(
                number=1,
                start_ms=0,
                end_ms=900,
                text="hello",
                masked={},
                classification=Classification.INTERNAL,
            )
        )
        dictation.pause(True)
        dictation.pause(False)
        dictation.take(Ended(900))
        held = queue.held()
    bodies = [waiting.noted.body for waiting in held]
    assert [type(body) for body in bodies] == [
        CaptureStarted,
        TranscriptSynced,
        CapturePaused,
        CaptureResumed,
        CaptureStopped,
    ]
    assert bodies[0] == CaptureStarted(capture=1, source="default device", consent="all agreed")
    assert held[1].due - held[1].noted.at == 30 * 1_000_000_000


@pytest.mark.parametrize(
    ("given", "speaker"),
    [
        ({}, "rep ann"),
        ({"device": "Monitor of Built-in Audio"}, "others"),
        ({"descriptor": 3}, "unknown"),
    ],
)
def test_the_speaker_is_as_far_as_the_source_says(given: dict[str, Any], speaker: str) -> None:
    assert speaker_of(order(**given), "ann") == speaker
