"""Declarations of an MCP server's tools: what a person decided about each, beside its pin.

A server's own words on its tools (names, descriptions, hints) are untrusted text and decide
nothing. A declaration says how the gate treats the tool and how its effect is read back;
`digest` pins what the server said of the tool when the person looked at it.
"""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct

from schemas.compensation import Compensation
from schemas.names import Classification, Text, ToolName
from schemas.tools import Effect, Reach, Trust

BY_ANSWER: Final = "answer"
"""`confirm = "answer"`: the server's own answer counts, and nothing is read back."""


class McpReadBack(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An effect is confirmed by another tool of the same server.

    `arguments` are that tool's; in them and in the conditions a text `{expression}` stands for
    what the JMESPath expression finds in the effect's own arguments. Its answer must equal
    `equals`, hold each of `contains`, and hold none of `absent`.
    """

    tool: Annotated[str, Meta(min_length=1, max_length=128)]
    arguments: dict[str, Any] = {}
    equals: str = ""
    contains: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


class McpTool(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One tool. `name` is ours, `arguments` the pinned JSON Schema without the server's prose.

    The rest is as in `schemas.tools.Tool`. `repeatable` says that doing it twice is as good as
    once, so that after a crash it may be done again where no sign of it is found.
    """

    name: ToolName
    digest: Annotated[str, Meta(pattern=r"^sha256:[0-9a-f]{64}$(?!\n)")]
    arguments: str
    allow: bool = False
    summary: Text = ""
    effect: Effect | None = None
    destinations: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    trust: Trust = Trust.UNTRUSTED
    classification: Classification = Classification.CONFIDENTIAL
    asked_by: tuple[str, ...] = ()
    reach: Reach = Reach.BY_ADDRESS
    ceiling: Classification = Classification.CONFIDENTIAL
    cost: Annotated[int, Meta(ge=0)] = 0
    compensation: Compensation | None = None
    confirm: McpReadBack | Literal["answer"] | None = None
    repeatable: bool = False


class McpDeclarations(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file `mcp/NAME.toml`; `tool` is keyed by the server's own names."""

    tool: dict[str, McpTool] = {}
