"""Which URLs are fetched: what is written to be read in two ways is refused."""

import pytest

from sidecar.connectors.urls import Target, followed, rules_of, target_of
from sidecar.errors import BadConnector, BadTarget

ANY = rules_of(("*", "deep.example:8443"), ("plain.example",))
LISTED = rules_of(("docs.example", "*.wiki.example"), ())


def test_a_plain_url_is_read_as_it_is_written() -> None:
    found = target_of("https://Docs.Example/a%20b/../c?q=1&r=%2f#part", ANY)
    assert found == Target("https", "docs.example", 443, "/c?q=1&r=%2f")
    assert found.url == "https://docs.example/c?q=1&r=%2f"


def test_a_port_that_the_settings_name_is_kept() -> None:
    found = target_of("https://deep.example:8443/", ANY)
    assert (found.port, found.authority) == (8443, "deep.example:8443")


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1./",
        "https://%31%32%37.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fe80::1%25eth0]/",
        "https://user@docs.example/",
        "https://user:word@docs.example/",
        "https://@docs.example/",
        "https://docs.example@other.example/",
        "https://docs.example\\@other.example/",
        "https:\\\\docs.example/",
        "https:/docs.example/",
        "https:docs.example",
        "https:///docs.example/",
        "//docs.example/",
        "HTTPS://docs.example/",
        "ftp://docs.example/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "gopher://docs.example/",
        "https://docs.example:22/",
        "https://docs.example:80/",
        "https://docs.example:0/",
        "https://docs.example:99999/",
        "https://localhost/",
        "https://intranet/",
        "https:// docs.example/",
        "https://docs.example/a b",
        "https://docs.example/\r\nX: y",
        "https://docs.example/\u2028",
        "https://d\u043ecs.example/",
        "https://docs\u3002example/",
        "https://docs.example%00.other.example/",
        "https://docs.example%2f.other.example/",
        "https://-docs.example/",
        "https://xn--.example/",
        "http://docs.example/",
        "http://plain.example:8080/",
        "https://docs.example/" + "a" * 2_048,
    ],
)
def test_a_url_that_could_lead_elsewhere_is_refused(url: str) -> None:
    with pytest.raises(BadTarget):
        target_of(url, ANY)


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://docs.example/", True),
        ("https://docs.example./", True),
        ("https://www.docs.example/", False),
        ("https://a.b.wiki.example/", True),
        ("https://wiki.example/", False),
        ("https://evilwiki.example/", False),
        ("https://docs.example.evil.example/", False),
        ("http://docs.example/", False),
    ],
)
def test_only_the_hosts_of_the_settings_are_fetched_from(url: str, allowed: bool) -> None:
    if allowed:
        assert target_of(url, LISTED)
    else:
        with pytest.raises(BadTarget, match="the settings allow"):
            target_of(url, LISTED)


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "*.",
        "Docs.Example",
        "docs.example/path",
        "https://docs.example",
        "10.0.0.1",
        "docs.example:0",
        "docs.example:x",
        "*.*.example",
        "a b",
        "user@docs.example",
    ],
)
def test_a_setting_that_names_no_host_is_an_error_that_names_its_key(entry: str) -> None:
    with pytest.raises(BadConnector, match=r"connectors\.web\.hosts\[1\]"):
        rules_of(("docs.example", entry), ())


@pytest.mark.parametrize(
    ("location", "leads"),
    [
        ("/other?x=1", "https://docs.example/other?x=1"),
        ("https://www.docs.example/#part", "https://www.docs.example/"),
        ("//docs.example/x", "https://docs.example/x"),
        ("https://other.example/", None),
        ("//other.example/", None),
        ("http://docs.example/", None),
        ("https://169.254.169.254/latest/meta-data/", None),
        ("https://user:word@docs.example/", None),
        ("javascript:alert(1)", None),
        ("\\\\other.example\\", None),
        ("https://docs.example:8443/", None),
    ],
)
def test_a_redirect_is_followed_to_the_same_owner_only(location: str, leads: str | None) -> None:
    rules = rules_of(("*",), ("*",))
    start = target_of("https://docs.example/start", rules)
    if leads is None:
        with pytest.raises(BadTarget):
            followed(start, location, rules)
    else:
        assert followed(start, location, rules).url == leads
