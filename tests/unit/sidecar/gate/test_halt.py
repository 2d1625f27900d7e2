"""Layer 3: any halt that covers the run refuses, and says which."""

from schemas.actions import LayerResult
from sidecar.gate.halt import halt
from tests.cases import good_case


def test_without_a_halt_it_passes() -> None:
    assert halt(good_case()).result is LayerResult.PASS


def test_every_halt_is_named_and_the_way_out_is_said() -> None:
    word = halt(good_case(halts=("run r-1", "workspace")))
    assert word.result is LayerResult.REFUSE
    assert (word.reason, word.evidence) == ("halted", "run r-1, workspace")
    assert "anyteam release" in word.fix
