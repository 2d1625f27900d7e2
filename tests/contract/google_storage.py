"""Google Cloud Storage on loopback: an emulator of its JSON API, with what the emulator leaves out.

`refusals` are statuses that the next requests for objects get, one each, in place of an answer (the
library also asks for the bucket's own description, when it likes). An object that is there refuses
a writer who wants it not to be (`ifGenerationMatch=0`), as the service does.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from gcp_storage_emulator.handlers.buckets import create_bucket
from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

BUCKET: Final = "acme-blobs"


class GoogleStorage:
    """The server: `objects` is what the bucket holds, by name; `log` each method asked of them."""

    def __init__(self) -> None:
        self.storage = Storage(use_memory_fs=True)
        create_bucket(BUCKET, self.storage)
        self.refusals: list[int] = []
        self.log: list[str] = []
        self.port = 0

    @property
    def endpoint(self) -> str:
        """Where it listens, as settings name it."""
        return f"127.0.0.1:{self.port}"

    @property
    def objects(self) -> dict[str, bytes]:
        """What the bucket holds."""
        names = self.storage.objects.get(BUCKET, {})
        return {name: self.storage.get_file(BUCKET, name) for name in names}


class _Handler(RequestHandler):  # type: ignore[misc]
    def __init__(self, server: GoogleStorage, *args: Any) -> None:
        self._said = server
        super().__init__(server.storage, *args)

    def do_GET(self) -> None:  # noqa: N802
        self._answer(super().do_GET)

    def do_DELETE(self) -> None:  # noqa: N802
        self._answer(super().do_DELETE)

    def do_POST(self) -> None:  # noqa: N802
        query = parse_qs(urlsplit(self.path).query)
        if query.get("ifGenerationMatch") == ["0"] and query.get("uploadType") == ["multipart"]:
            length = int(self.headers["content-length"])
            body = self.rfile.read(length)
            name = json.loads(body.split(b"\r\n\r\n", 1)[1].split(b"\r\n", 1)[0])["name"]
            if name in self._said.objects:
                self._said.log.append("POST")
                self._refuse(412)
                return
            self.rfile = _Again(body)
        self._answer(super().do_POST)

    def _answer(self, passed: Any) -> None:
        if "/o/" not in self.path and not urlsplit(self.path).path.endswith("/o"):
            passed()
            return
        self._said.log.append(self.command)
        if self._said.refusals:
            self._refuse(self._said.refusals.pop(0))
        else:
            passed()

    def _refuse(self, status: int) -> None:
        data = json.dumps({"error": {"code": status, "message": f"refused: {status}"}}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was asked is in `log`."""


class _Again:
    """A body that was looked at, to be read once more."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        data, self._data = self._data[: size if size >= 0 else None], b""
        return data

    def close(self) -> None:
        self._data = b""


@contextmanager
def google_storage() -> Iterator[GoogleStorage]:
    """The server, up, on a port that the system picks."""
    said = GoogleStorage()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, said)) as server:
        said.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield said
        finally:
            server.shutdown()
            thread.join()
