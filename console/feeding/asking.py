"""The connection to a witness: add-checkpoint over HTTP (C2SP tlog-witness), and its answer."""

import httpx

from ledger.feeding import NoReply, Reply

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64 * 1024


def new_client() -> httpx.AsyncClient:
    """Follows no redirect, and asks no proxy of the environment."""
    return httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)


async def put(client: httpx.AsyncClient, prefix: str, body: bytes) -> Reply | NoReply:
    """The answer of the witness whose `add-checkpoint` is below `prefix`."""
    url = f"{prefix.rstrip('/')}/add-checkpoint"
    try:
        async with client.stream("POST", url, content=body) as answer:
            data = bytearray()
            async for part in answer.aiter_bytes():
                data += part
                if len(data) > MAX_ANSWER_BYTES:
                    return NoReply(f"its answer is over {MAX_ANSWER_BYTES} bytes")
            kind = answer.headers.get("content-type", "").partition(";")[0].strip()
            return Reply(answer.status_code, kind, data.decode("utf-8", "replace"))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return NoReply(f"it cannot be reached: {type(error).__name__} {error}".strip())
