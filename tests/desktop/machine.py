"""A machine that was enrolled with keys and certificates of its own, and whose bus is away."""

from pathlib import Path

import msgspec

from bus.tls import ensure_tls
from desktop_agent.enrolled import Enrolled, keep, new_keys
from schemas.captures import MAX_CAPTURES
from schemas.enrolment import Admission

NOBODY = "tls://127.0.0.1:1"
"""A place where nobody answers."""


def admit(home: Path) -> Enrolled:
    """Make the agent's folder `home` that of `ann-laptop`, whose bus is away."""
    files = ensure_tls(home / "tls")
    keys, _ = new_keys(bytes(16))
    certificate, secret = (path.read_bytes() for path in files.client)
    admission = Admission(
        workspace="acme",
        device="ann-laptop",
        rep="ann",
        url=NOBODY,
        root=bytes(32),
        jwt="",
        authority=files.ca.read_bytes(),
        certificate=certificate,
        token_key=bytes(32),
        captures=tuple(bytes([number % 251]) * 32 for number in range(MAX_CAPTURES)),
    )
    keys = msgspec.structs.replace(keys, tls=secret)
    enrolled = Enrolled(keys=keys, admission=admission)
    keep(home, enrolled)
    return enrolled
