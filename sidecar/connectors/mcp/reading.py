"""What an MCP server answered, as data: its text, cut to size, and what was left out of it.

Pictures, sounds and resources are named by kind and size, never shown and never followed:
a link in an answer is an outsider's wish that somebody should look there.
"""

from typing import Any, Final

import msgspec
from mcp.types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
)

from sidecar.connectors.connector import cut

MAX_TEXT_BYTES: Final = 48 * 1024
_MAX_LEFT_OUT: Final = 20


def text_of(answer: CallToolResult) -> str:
    """All text of an answer; its structured content as JSON where it has no text."""
    texts = [block.text for block in answer.content if isinstance(block, TextContent)]
    if not texts and answer.structured_content is not None:
        return msgspec.json.encode(answer.structured_content).decode()
    return "\n".join(texts)


def result_of(answer: CallToolResult) -> dict[str, Any]:
    """The result for the runtime: `text`, `truncated` where it was cut, `left_out`."""
    text, shortened = cut(text_of(answer), MAX_TEXT_BYTES)
    result: dict[str, Any] = {"text": text}
    if shortened:
        result["truncated"] = True
    others = [_named(block) for block in answer.content if not isinstance(block, TextContent)]
    if others:
        result["left_out"] = others[:_MAX_LEFT_OUT]
    return result


def _named(block: ContentBlock) -> str:
    if isinstance(block, ImageContent | AudioContent):
        return f"{block.type}, {len(block.data)} characters of base64"
    if isinstance(block, EmbeddedResource):
        return "an embedded resource"
    return "a link to a resource, not followed"
