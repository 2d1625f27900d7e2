"""Layer 9, memory."""

from sidecar.gate.outcome import Case, Word, passed


def memory(case: Case) -> Word:
    """Nothing is retained by this tool."""
    return passed("nothing is retained")
