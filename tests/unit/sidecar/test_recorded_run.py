"""The example of `docs/gate.md`: what it shows is what the gate decides."""

from examples.recorded_run import decided, step_by_step
from schemas.actions import LayerResult


def test_the_example_passes_the_named_person_and_holds_the_stranger() -> None:
    results = [found.result for found in decided()]
    assert results == [LayerResult.PASS] * 3 + [LayerResult.HOLD]
    decisive = decided()[-1].decisive
    assert decisive is not None and decisive.name == "provenance"


def test_driving_the_recording_step_by_step_decides_the_same() -> None:
    assert tuple(step_by_step()) == decided()
