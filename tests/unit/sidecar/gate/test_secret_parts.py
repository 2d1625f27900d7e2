"""What is a part of a credential, and what is an ordinary text beside one."""

import pytest

from sidecar.gate.secret_parts import part_of_secret, secret_windows

KEY = "ghp_9fK2mQ7xLb41TzR8vNc3WyHs6JdPaE0uGi5k"
KNOWN = dict.fromkeys(secret_windows("", f"deploy key: {KEY}"), 7)


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        "9fK2mQ",
        "the rest is 41tzr8",
        "4-1-T-z-R-8",
        "4 1\nT z\nR 8",
        "seen: x9FK2MQx",
    ],
)
def test_six_signs_in_a_row_are_a_part_in_whatever_case_and_with_whatever_between(
    text: str,
) -> None:
    assert part_of_secret(KNOWN, text) in KNOWN


@pytest.mark.parametrize(
    "text", ["", "9fK2m", "fK2mQ 9", "deploy key", "the vncwyhsjdp", "Green. 41 of 41 passed"]
)
def test_fewer_signs_and_ordinary_text_are_none(text: str) -> None:
    assert part_of_secret(KNOWN, text) == ""


def test_the_first_part_in_a_text_is_given() -> None:
    assert part_of_secret(KNOWN, "first 41TzR8, then 9fK2mQ") == "41tzr8"


@pytest.mark.parametrize(
    ("key", "text", "marks"),
    [
        ("password", "pony4tail", {"pony4t", "ony4ta", "ny4tai", "y4tail"}),
        ("adminPassphrase", "pony4tai", {"pony4t", "ony4ta", "ny4tai"}),
        ("secret", "abcde1", {"abcde1"}),
        ("secret", "abcd1", set()),
        ("key", "tmp/scratch-1.log", set()),
        ("path", "reports/q3-2026.txt", set()),
        ("", "password: correcthorse", set()),
        ("", "password: 12345678", set()),
    ],
)
def test_windows_are_those_of_credentials_that_mix_letters_and_digits(
    key: str, text: str, marks: set[str]
) -> None:
    assert set(secret_windows(key, text)) == marks
