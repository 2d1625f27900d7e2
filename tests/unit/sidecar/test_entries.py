"""Entries of the allowlist as people write them, and as the settings report what is wrong."""

import pytest

from console.declaring import policy_of
from schemas.errors import AnyTeamError
from schemas.names import SECOND
from schemas.sections import BadSettings
from schemas.settings import Settings, parse_settings
from schemas.tools import AllowedDestination
from sidecar.destinations.entries import BadEntry, normal

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = []
"""


def settings(*lines: str) -> Settings:
    return parse_settings(SETTINGS + "\n".join(lines), "anyteam.toml")


def entries(*lines: str) -> tuple[AllowedDestination, ...]:
    return policy_of(settings(*lines), 1).destinations


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("boeing.example", "@boeing.example"),
        ("@Boeing.Example.", "@boeing.example"),
        (" Jane.Doe@BOEING.example ", "jane.doe@boeing.example"),
        ("@bücher.example", "@xn--bcher-kva.example"),
        ("jane@Bücher.example", "jane@xn--bcher-kva.example"),
        ("mailto:jane@boeing.example", "jane@boeing.example"),
        ("Jane <jane@boeing.example>", "jane@boeing.example"),
    ],
)
def test_an_entry_is_kept_in_the_form_the_gate_compares_with(written: str, expected: str) -> None:
    assert normal(written, owned=True) == expected
    assert normal(expected) == expected


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "no domain name"),
        ("@", "no domain name"),
        ("boeing", "single word"),
        ("https://boeing.example/", "URL"),
        ("boeing.example:443", "no domain name"),
        ("a b@boeing.example", "no mail address"),
        ("jane@192.0.2.1", "no mail address"),
        ("jane+news@boeing.example", "tag"),
        ("*.boeing.example", "no domain name"),
        ("@xn--zzzzzz.example", "no domain name"),
        ("192.0.2.1", "network address"),
    ],
)
def test_what_the_gate_could_never_meet_is_an_error(written: str, why: str) -> None:
    with pytest.raises(BadEntry, match=why):
        normal(written, owned=True)


def test_an_address_may_be_listed_where_its_owner_is_not_watched() -> None:
    assert normal("192.0.2.1") == "@192.0.2.1"


def test_entries_are_watched_unless_the_settings_say_otherwise_and_last_to_the_end_of_a_day() -> (
    None
):
    assert entries(
        "[[policy.destinations]]",
        'destination = "Boeing.example"',
        'expires = "2026-12-31"',
        "[[policy.destinations]]",
        'destination = "jane@other.example"',
        "owned = false",
    ) == (
        AllowedDestination(
            destination="@boeing.example", expires=1_798_761_600 * SECOND, owned=True
        ),
        AllowedDestination(destination="jane@other.example"),
    )


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        (('destination = "no name"',), r"policy\.destinations\[1\]\.destination: 'no name'"),
        (('destination = "@Boeing.example"',), r"policy\.destinations\[1\]\.destination.*already"),
        (
            ('destination = "@a.example"', 'expires = "2026-02-30"'),
            r"policy\.destinations\[1\]\.expires: 2026-02-30",
        ),
        (('destination = "@a.example"', 'expires = "soon"'), r"policy\.destinations\[1\]\.expires"),
        (('destination = "@192.0.2.1"',), r"policy\.destinations\[1\]\.destination.*address"),
    ],
)
def test_a_wrong_entry_is_named_by_its_key(lines: tuple[str, ...], key: str) -> None:
    first = ("[[policy.destinations]]", 'destination = "boeing.example"')
    with pytest.raises(BadSettings) as refused:
        entries(*first, "[[policy.destinations]]", *lines)
    assert refused.match(key)


def test_the_spans_of_the_settings_are_the_policys() -> None:
    made = policy_of(parse_settings(SETTINGS + "revalidate_s = 600\nfresh_s = 0\n", "x"), 1)
    assert (made.revalidate_s, made.fresh_s) == (600, 0)


def test_a_name_server_is_taken_with_and_without_a_port() -> None:
    servers = '["192.0.2.53", "127.0.0.1:5353", "[2001:db8::53]:5353", "2001:db8::53"]'
    found = settings("[resolver]", f"nameservers = {servers}").resolver.nameservers
    assert len(found) == 4


@pytest.mark.parametrize("server", ["dns.example", "192.0.2.53:", "192.0.2.53:99999", "[::1]5353"])
def test_a_wrong_name_server_is_named_by_its_key(server: str) -> None:
    with pytest.raises(AnyTeamError, match=r"resolver\.nameservers\[0\]"):
        settings("[resolver]", f'nameservers = ["{server}"]')
