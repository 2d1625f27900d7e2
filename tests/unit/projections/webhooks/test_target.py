"""Where may be posted to: public hosts over https, private ones only as the settings name them."""

from ipaddress import ip_address

import pytest

from projections.webhooks.errors import BadEndpoint, ForbiddenAddress
from projections.webhooks.target import admitted, networks_of, target_of, written_address

PUBLIC = ip_address("93.184.216.34")
OWN = networks_of(["10.1.0.0/16", "127.0.0.1"])


def test_a_url_is_taken_apart_once_and_in_one_form() -> None:
    target = target_of("https://Hooks.Example.COM:8443/in/../a?b=c d".replace(" ", "%20"))
    assert (target.host, target.port, target.path) == ("hooks.example.com", 8443, "/a?b=c%20d")
    assert target.authority == "hooks.example.com:8443"


@pytest.mark.parametrize(
    "url",
    [
        *("", "example.com/hook", "ftp://example.com/", "https://", "file:///etc/passwd"),
        *("https://user:secret@example.com/", "https://example.com/#a", "https://exa mple.com/"),
        *("https://example.com/\n", "https://exämple.com/", "https://example.com/" + "a" * 2_048),
    ],
)
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(BadEndpoint):
        target_of(url)


@pytest.mark.parametrize(
    "url", ["https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://[::1]/"]
)
def test_an_address_is_seen_however_it_is_written(url: str) -> None:
    address = written_address(target_of(url))
    assert address is not None
    with pytest.raises(ForbiddenAddress):
        admitted(target_of(url), [address], ())


@pytest.mark.parametrize(
    "inside",
    [
        *("127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "0.1.2.3"),
        *("::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_one_address_that_is_not_public_refuses_the_host(inside: str) -> None:
    target = target_of("https://hooks.example.com/")
    with pytest.raises(ForbiddenAddress):
        admitted(target, [PUBLIC, ip_address(inside)], ())


def test_a_network_of_the_settings_may_be_reached_over_http_too() -> None:
    for url in ("https://hooks.example.com/", "http://hooks.example.com/"):
        assert admitted(target_of(url), [ip_address("10.1.2.3")], OWN)


def test_plain_http_never_leaves_those_networks() -> None:
    with pytest.raises(ForbiddenAddress):
        admitted(target_of("http://hooks.example.com/"), [PUBLIC], OWN)
    with pytest.raises(ForbiddenAddress):
        admitted(target_of("http://hooks.example.com/"), [ip_address("10.2.0.1")], OWN)


def test_a_host_without_an_address_is_refused() -> None:
    with pytest.raises(ForbiddenAddress):
        admitted(target_of("https://hooks.example.com/"), [], OWN)
