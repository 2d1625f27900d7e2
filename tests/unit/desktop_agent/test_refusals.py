"""A device that the system keeps from us is told from one that is not there."""

import pytest

from desktop_agent.capture.refusals import refused, told


@pytest.mark.parametrize(
    ("error", "is_refused", "says"),
    [
        (ValueError("No input device matching 'x'"), False, "No input device matching 'x'"),
        (
            RuntimeError("Error querying device -1"),
            False,
            "there is no source of sound that this program may hear",
        ),
        (RuntimeError("Invalid device", -9996), False, "Invalid device"),
        (RuntimeError("Device unavailable", -9985), True, "Device unavailable"),
        (
            RuntimeError("Host", -9999, (0, -13, "Permission denied")),
            True,
            "Permission denied",
        ),
    ],
)
def test_a_refusal_is_what_the_system_itself_says(
    error: Exception, is_refused: bool, says: str
) -> None:
    assert refused(error) is is_refused
    assert told(error) == says
