"""An error as a problem document, for programs. Source: RFC 9457.

`type` is a URN that stays the same, `title` is the kind, `detail` this case, `fix` what to do.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.responses import Response

from console.api.shapes import Problem

MEDIA_TYPE: Final = "application/problem+json"
API: Final = "/api/"
"""Below this path answers are for programs."""


def problem(
    status: int,
    kind: str,
    title: str,
    detail: str,
    fix: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer. `kind` is a CamelCase name, which becomes the type's last part."""
    words = re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()
    body = Problem(f"urn:anyteam:problem:{words}", title, status, detail, fix)
    return Response(msgspec.json.encode(body), status, headers, media_type=MEDIA_TYPE)
