"""Which URLs may be fetched, by the settings: schemes, hosts and ports. Pure, no name is resolved.

A URL is read once, by the WHATWG standard's parser, and what is connected to and asked for is
put together from what that reader said; so there is no second reader to disagree with it. Bare
addresses, however written, user information and ports that no setting names are refused.
"""

import re
from typing import Final, Literal

import ada_url
from msgspec import Struct

from sidecar.destinations.names import canonical, is_address, registrable
from sidecar.errors import BadConnector, BadTarget

MAX_URL: Final = 2_048

_PORTS: Final = {"https": 443, "http": 80}
_WRITTEN: Final = re.compile(r"https?://(?:(?![/?#\\@])[!-~])+(?:[/?#][!-~]*)?")


class Host(Struct, frozen=True):
    """Hosts that may be fetched from: one, all `below` it, or any where `name` is empty.

    `port` 0 stands for the scheme's own.
    """

    name: str
    below: bool
    port: int


class Rules(Struct, frozen=True):
    """`hosts` may be reached over https, and `plain` over http too."""

    hosts: tuple[Host, ...]
    plain: tuple[Host, ...]


class Target(Struct, frozen=True):
    """What to fetch: a canonical host, and the path and query as they go over the wire."""

    scheme: Literal["https", "http"]
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The host, with its port where it is not the scheme's own: the header `Host`."""
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL."""
        return f"{self.scheme}://{self.authority}{self.path}"


def rules_of(hosts: tuple[str, ...], plain: tuple[str, ...]) -> Rules:
    """The settings' entries, `name`, `*.name` or `*`, each perhaps with a port.

    Raises `BadConnector`, naming the key.
    """
    return Rules(
        tuple(_host(f"connectors.web.hosts[{n}]", one) for n, one in enumerate(hosts)),
        tuple(_host(f"connectors.web.http[{n}]", one) for n, one in enumerate(plain)),
    )


def target_of(url: str, rules: Rules) -> Target:
    """The target that `url` names. Raises `BadTarget` where the rules do not allow it."""
    written = _WRITTEN.fullmatch(url)
    if written is None or len(url) > MAX_URL:
        raise BadTarget("the URL is not a plain http or https URL in ASCII")
    try:
        parsed = ada_url.parse_url(url, ("protocol", "hostname", "port", "pathname", "search"))
    except ValueError as error:
        raise BadTarget("the URL cannot be read") from error
    host = canonical(parsed["hostname"])
    if host is None:
        raise BadTarget("nobody can be sure which host the URL names", fix="write it plainly")
    if is_address(host):
        raise BadTarget("the URL names a bare network address", fix="name the host")
    scheme: Literal["https", "http"] = "https" if parsed["protocol"] == "https:" else "http"
    port = int(parsed["port"] or _PORTS[scheme])
    if not _allowed(host, port, scheme, rules):
        raise BadTarget(
            f"the settings allow no {scheme} to that host and port",
            fix="add it to connectors.web.hosts, or to connectors.web.http for plain http",
        )
    return Target(scheme, host, port, parsed["pathname"] + parsed["search"])


def followed(start: Target, location: str, rules: Rules) -> Target:
    """Where a redirect leads. Raises `BadTarget` where it is not followed.

    The gate judged one owner's host, so only that owner's hosts are gone on to, and never
    from https down to http.
    """
    try:
        there = ada_url.join_url(start.url, location)
    except ValueError as error:
        raise BadTarget("it redirects to what is no URL") from error
    target = target_of(there.partition("#")[0], rules)
    if registrable(target.host) != registrable(start.host):
        raise BadTarget("it redirects to another owner's host", fix="propose that URL by itself")
    if start.scheme == "https" and target.scheme == "http":
        raise BadTarget("it redirects from https to http")
    return target


def _allowed(host: str, port: int, scheme: str, rules: Rules) -> bool:
    entries = rules.plain if scheme == "http" else rules.hosts
    return any(_meets(entry, host, port, _PORTS[scheme]) for entry in entries)


def _meets(entry: Host, host: str, port: int, usual: int) -> bool:
    if port != (entry.port or usual):
        return False
    if not entry.name:
        return "." in host
    return host.endswith(f".{entry.name}") if entry.below else host == entry.name


def _host(key: str, entry: str) -> Host:
    written, _, port = entry.partition(":")
    fix = 'write "docs.example.com", "*.example.com", "*", or one of them with ":8443"'
    if port and not (port.isdecimal() and 0 < int(port) < 65_536):
        raise BadConnector(f"{key}: {entry!r} has no port between 1 and 65535", fix=fix)
    number = int(port) if port else 0
    if written == "*":
        return Host("", True, number)
    name = canonical(written.removeprefix("*."))
    if name is None or is_address(name) or (written != name and written != f"*.{name}"):
        raise BadConnector(f"{key}: {entry!r} is no host name in its plain form", fix=fix)
    return Host(name, written.startswith("*."), number)
