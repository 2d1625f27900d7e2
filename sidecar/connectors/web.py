"""Fetching a page from the web, with control over where that leads.

A fetch carries data out in its URL, so it is egress with the URL as its destination; what comes
back is anybody's text. A host's name is resolved once, here, every address it has must be public,
and the connection is made to those addresses. Each redirect is held against the same rules, and
one that leads to another owner is told and not followed: the gate has not judged that one.
"""

import ssl
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from schemas.addresses import Address, Admits, is_public
from schemas.names import Classification
from schemas.tools import Effect, Tool, Trust
from sidecar.connectors.connector import (
    Finding,
    Found,
    Outcome,
    arguments_as,
    check_key,
    confirmed,
    cut,
    schema_of,
    unknown,
)
from sidecar.connectors.fetching import Fetched, Fetcher
from sidecar.connectors.urls import MAX_URL, Rules, Target, followed, rules_of, target_of
from sidecar.destinations.fingerprint import Unobservable
from sidecar.destinations.resolver import Resolver
from sidecar.errors import BadArguments, BadTarget, ConnectorError, Unanswered, Unreachable
from sidecar.pages import read_page, readable

MAX_REDIRECTS: Final = 5
MAX_TEXT_BYTES: Final = 40 * 1024
MAX_PAGE_BYTES: Final = 512 * 1024


class Fetch(Struct, frozen=True, forbid_unknown_fields=True):
    """`url` is what to get, an http or https URL in ASCII."""

    url: Annotated[
        str, Meta(pattern=r"^https?://[^\x00-\x20\x7f-\U0010ffff\\]+$(?!\n)", max_length=MAX_URL)
    ]


WEB_TOOLS: Final = (
    Tool(
        name="web.fetch",
        summary="Fetch a web page and give its text",
        arguments=schema_of(Fetch),
        effect=Effect.EGRESS,
        destinations=("url",),
        trust=Trust.UNTRUSTED,
        classification=Classification.PUBLIC,
        ceiling=Classification.INTERNAL,
        asked_by=("website", "page", "article", "link", "site"),
        confirm="the host's answer to the request",
    ),
)


class WebConnector:
    """Fetches what `hosts` and `http` allow; see `sidecar.connectors.urls`. Raises `BadConnector`.

    `admits` says which addresses may be connected to.
    """

    tools: tuple[Tool, ...] = WEB_TOOLS

    def __init__(
        self,
        hosts: tuple[str, ...],
        http: tuple[str, ...],
        resolver: Resolver,
        *,
        admits: Admits = is_public,
        context: ssl.SSLContext | None = None,
        timeout_s: float = 15.0,
    ) -> None:
        self._rules: Rules = rules_of(hosts, http)
        self._resolver = resolver
        self._admits = admits
        self._fetcher = Fetcher(limit=MAX_PAGE_BYTES, timeout_s=timeout_s, context=context)

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        if tool != "web.fetch":
            raise BadArguments("this connector does not serve that tool")
        target = target_of(arguments_as(Fetch, arguments).url, self._rules)
        try:
            fetched = await self._fetch(target)
        except Unanswered as error:
            return unknown(str(error))
        return await self._follow(target, fetched)

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        arguments_as(Fetch, arguments)
        return Found(Finding.UNKNOWN, detail="nobody can be asked whether a page was fetched")

    async def _follow(self, target: Target, fetched: Fetched) -> Outcome:
        """Go on from the first answer; whatever ends that, the fetch was made and answered."""
        passed: list[str] = []
        stopped = ""
        while 300 <= fetched.status < 400 and fetched.location and not stopped:
            if len(passed) == MAX_REDIRECTS:
                stopped = f"it redirects more than {MAX_REDIRECTS} times"
                break
            try:
                onward = followed(target, fetched.location, self._rules)
                fetched = await self._fetch(onward)
            except ConnectorError as error:
                stopped = str(error)
            else:
                passed.append(target.url)
                target = onward
        return await _outcome(target, fetched, passed, stopped)

    async def _fetch(self, target: Target) -> Fetched:
        return await self._fetcher.fetch(target, await self._addresses(target.host))

    async def _addresses(self, host: str) -> tuple[Address, ...]:
        """Where the host is, by the DNS of now, asked once. Raises `Unreachable`, `BadTarget`."""
        found = await self._resolver.addresses(host)
        if isinstance(found, Unobservable):
            raise Unreachable(f"the host has no address: {found.reason}")
        if not all(self._admits(address) for address in found):
            raise BadTarget("the host's name leads to an address that is not public")
        return found


async def _outcome(target: Target, fetched: Fetched, passed: list[str], stopped: str) -> Outcome:
    result: dict[str, Any] = {"url": target.url, "status": fetched.status, "redirects": passed}
    problem = stopped or fetched.problem
    if stopped and fetched.location:
        result["redirects_to"] = cut(_printable(fetched.location), 2_000)[0]
    page = None
    if not problem and fetched.body:
        if not readable(fetched.type):
            problem = "its content type is no text that is read here"
        else:
            page = await read_page(fetched.body, fetched.type, target.url)
            problem = "" if page is not None else "it cannot be read in reasonable time"
    if page is not None:
        text, shortened = cut(page.text, MAX_TEXT_BYTES)
        result |= {"title": page.title, "text": text, "links": list(page.links)}
        result["truncated"] = shortened or not page.whole or not fetched.whole
    if problem:
        result["problem"] = problem
    evidence = fetched.body or f"{fetched.status} {target.url}".encode()
    return confirmed(evidence, f"answered {fetched.status}, {len(fetched.body)} bytes", result)


def _printable(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)
