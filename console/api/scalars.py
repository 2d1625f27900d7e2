"""The API's scalars: what a field of an answer is, said once for the document and the client."""

from typing import Annotated

from msgspec import Meta

At = Annotated[str, Meta(description="RFC 3339, UTC", extra_json_schema={"format": "date-time"})]
Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$", description="a SHA-256 digest in hex")]
Millionths = Annotated[int, Meta(description="millionths of the policy's currency")]
Index = Annotated[int, Meta(ge=0, description="an index of the ledger, from 1; 0 is none")]
