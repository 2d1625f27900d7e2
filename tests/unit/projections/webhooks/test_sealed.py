"""A secret at rest opens with its key, for its endpoint, and not otherwise."""

import pytest

from projections.webhooks.errors import SecretUnreadable
from projections.webhooks.sealed import open_secret, seal_secret

KEY, SECRET = b"\x01" * 32, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_a_sealed_secret_opens_and_does_not_show() -> None:
    sealed = seal_secret(SECRET, KEY, "acme", "crm")
    assert SECRET.encode() not in sealed
    assert open_secret(sealed, KEY, "acme", "crm") == SECRET


@pytest.mark.parametrize("change", ["key", "workspace", "endpoint", "byte", "cut"])
def test_it_does_not_open_elsewhere_or_damaged(change: str) -> None:
    sealed = bytearray(seal_secret(SECRET, KEY, "acme", "crm"))
    if change == "byte":
        sealed[-1] ^= 1
    if change == "cut":
        del sealed[5:]
    with pytest.raises(SecretUnreadable) as caught:
        open_secret(
            bytes(sealed),
            b"\x02" * 32 if change == "key" else KEY,
            "other" if change == "workspace" else "acme",
            "other" if change == "endpoint" else "crm",
        )
    assert SECRET not in str(caught.value)
