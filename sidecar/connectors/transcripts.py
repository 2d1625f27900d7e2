"""The tool by which a run reads what its own rep's devices heard: a read as any other, judged by
the gate, answered from the ledger.

The text is untrusted, whoever spoke: it never steers. What the devices and the ledger say about it
(device, capture, second, entry) is the workspace's own.
"""

from typing import Annotated, Final

from msgspec import Meta, Struct

from schemas.names import Classification
from schemas.tools import Effect, Tool, Trust
from sidecar.connectors.connector import schema_of

MAX_SEGMENTS: Final = 100


class Read(Struct, frozen=True, forbid_unknown_fields=True):
    """The latest `limit` segments; of one `capture` (`laptop/3`) where one is named, and before
    `before`, the entry that an earlier answer began with.
    """

    limit: Annotated[int, Meta(ge=1, le=MAX_SEGMENTS)] = 50
    capture: Annotated[str, Meta(max_length=80)] = ""
    before: Annotated[int, Meta(ge=0)] = 0


TRANSCRIPT_TOOLS: Final = (
    Tool(
        name="transcripts.read",
        summary="Read the redacted transcript of what was said in a meeting or call",
        arguments=schema_of(Read),
        effect=Effect.READ,
        trust=Trust.UNTRUSTED,
        classification=Classification.CONFIDENTIAL,
        memory="transcripts",
    ),
)
