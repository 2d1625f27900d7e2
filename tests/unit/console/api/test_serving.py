"""Errors as a program is told of them: a status, what it can act on, and nothing of ours inside."""

import json

import pytest
from starlette.requests import Request

from bus.errors import StreamUnavailable
from console.api.errors import Slower, TokenInvalid
from console.api.serving import _told
from console.web.errors import Outdated
from schemas.errors import AnyTeamError

REQUEST = Request(
    {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
)


@pytest.mark.parametrize(
    ("error", "status", "kind", "header"),
    [
        (Slower("too fast", fix="wait", wait_s=7), 429, "slower", ("retry-after", "7")),
        (
            TokenInvalid("no token"),
            401,
            "token-invalid",
            ("www-authenticate", 'Bearer realm="anyteam"'),
        ),
        (Outdated("too late"), 409, "outdated", ("content-type", "application/problem+json")),
        (
            StreamUnavailable("not in time", fix="look"),
            503,
            "unavailable",
            ("content-type", "application/problem+json"),
        ),
    ],
)
def test_an_error_has_its_status_its_kind_and_the_header_that_goes_with_it(
    error: AnyTeamError, status: int, kind: str, header: tuple[str, str]
) -> None:
    answer = _told(REQUEST, error)
    said = json.loads(bytes(answer.body))
    assert (answer.status_code, said["status"]) == (status, status)
    assert said["type"] == f"urn:anyteam:problem:{kind}"
    assert (said["detail"], said["fix"]) == (error.what, error.fix)
    assert answer.headers[header[0]] == header[1]
