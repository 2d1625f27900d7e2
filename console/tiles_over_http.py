"""Reading a log's tiles from a server of static files, over HTTP."""

import httpx

from ledger.errors import BadProof
from ledger.tiles import Fetch

MAX_BYTES = 32 * 1024 * 1024
TIMEOUT_S = 10.0


def http_fetch(prefix: str, client: httpx.Client) -> Fetch:
    """Reads tiles below a URL prefix. What comes is checked by whoever asked, not here."""

    def fetch(path: str) -> bytes:
        url = f"{prefix.rstrip('/')}/{path}"
        try:
            with client.stream("GET", url) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise BadProof(
                        f"{url}: the server answers {answer.status_code}",
                        fix="name the address that has `checkpoint` and `tile/` below it",
                    )
                data = bytearray()
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > MAX_BYTES:
                        raise BadProof(f"{url}: over {MAX_BYTES} bytes")
                return bytes(data)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise BadProof(f"{url}: {error}", fix="check the address and the network") from error

    return fetch


def new_client() -> httpx.Client:
    """Follows no redirect: the log is where the auditor says."""
    return httpx.Client(timeout=TIMEOUT_S, follow_redirects=False)
