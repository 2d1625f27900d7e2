"""HTTP answers of a bounded size: more is cut off before anybody holds it in memory.

Event streams have no end by nature; the MCP client bounds each of their events itself.
"""

from collections.abc import AsyncIterator
from typing import Final

import httpx2

MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Speaks HTTP, and gives up an answer over the bound with `ReadError`."""

    def __init__(self) -> None:
        self._within = httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        # Uncompressed, so that the bound is one on what it unpacks to.
        request.headers["Accept-Encoding"] = "identity"
        answer = await self._within.handle_async_request(request)
        if "text/event-stream" in answer.headers.get("content-type", ""):
            return answer
        assert isinstance(answer.stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            answer.status_code,
            headers=answer.headers,
            stream=_Bounded(answer.stream),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        await self._within.aclose()


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self._stream:
            taken += len(chunk)
            if taken > MAX_ANSWER_BYTES:
                raise httpx2.ReadError(f"the answer is over {MAX_ANSWER_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
