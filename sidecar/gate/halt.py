"""Layer 3, halt: nothing engaged on the run, its rep, its agent or the workspace.

Halts are folded from the same ordered stream as the proposal, so a halt acknowledged
before the proposal was decided is always seen; a reader that has lost its place in the
stream decides nothing at all (`bus.node`).
"""

from typing import Final

from sidecar.gate.outcome import Case, Word, passed, refuse

_NO_HALT: Final = passed("no halt on run, rep, agent or workspace")


def halt(case: Case) -> Word:
    """Refuse while any halt covers this run."""
    if case.halts:
        return refuse(
            "halted",
            evidence=", ".join(case.halts),
            fix="`anyteam release` by an admin, then request a new run",
        )
    return _NO_HALT
