"""Credentials: by shape, by label, and never the words around them."""

import pytest

from classify.credentials import credentials_in
from classify.spans import Kind


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("id AKIAIOSFODNN7EXAMPLE found", "AKIAIOSFODNN7EXAMPLE"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
        ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc", "sk_live_4eC39HqLyjWDarjtT1zdp7dc"),
        ("Authorization: Bearer abcDEF123456.ghi-789_", "abcDEF123456.ghi-789_"),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.dozjgNry",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.dozjgNry",
        ),
        ("postgres://app:s3cr3tP4ss@db.example/app", "s3cr3tP4ss"),
        ("password: Winter2026!", "Winter2026!"),
        ('{"password": "tulip"}', "tulip"),
        ("db_password=tulipfield", "tulipfield"),
        ("le mot de passe : Soleil2024!.", "Soleil2024!"),
        ("das Passwort lautet Sommer!2025x, bitte", "Sommer!2025x"),
        ("the pin for the safe is 773301", "773301"),
        ("apiKey: 'b7f3c1e09a5d4f2e8c6b1a0d9e7f5c3b'", "b7f3c1e09a5d4f2e8c6b1a0d9e7f5c3b"),
    ],
)
def test_a_credential_is_found_without_its_label(text: str, value: str) -> None:
    assert [span.text for span in credentials_in(text)] == [value]


def test_a_private_key_is_found_from_its_first_line_to_its_last() -> None:
    key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nIIsR=\n-----END EC PRIVATE KEY-----"
    (span,) = credentials_in(f"see:\n{key}\nthanks")
    assert span.text == key and span.kind is Kind.CREDENTIAL


def test_a_private_key_cut_short_is_found_to_where_its_text_ends() -> None:
    (span,) = credentials_in("-----BEGIN PRIVATE KEY-----\nMHcCAQEE\n\nRegards, Ann")
    assert span.text.startswith("-----BEGIN") and span.text.strip().endswith("MHcCAQEE")


@pytest.mark.parametrize(
    "text",
    [
        "Please reset your password using the link in the portal.",
        "Failed password for root from the console",
        "tokens: 18204, context: 128000",
        "password=${DB_PASSWORD} token=<your token>",
        "the key to success is preparation",
        "session_id: 123e4567-e89b-12d3-a456-426614174000",
        "compass: north, passenger: two",
    ],
)
def test_talk_of_credentials_is_none(text: str) -> None:
    assert credentials_in(text) == ()
