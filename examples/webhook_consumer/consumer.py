"""A consumer that loses nothing: `python consumer.py --port 8080 --database events.sqlite`.

Written from docs/webhooks.md with Standard Webhooks' own library, and nothing of AnyTeam's. It
keeps a message before it answers, so that whatever is killed when, each message is there once:
what is sent twice has the same `webhook-id`. The secret is read from standard input.
"""

import argparse
import sqlite3
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BYTES = 1024 * 1024

SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ledger_index INTEGER, head TEXT,
    previous INTEGER, whole INTEGER NOT NULL, body TEXT NOT NULL
)
"""


def keep(database: sqlite3.Connection, message_id: str, message: Any, body: str) -> None:
    """Keep a message, unless it is here; `whole` is whether what should come before it is here."""
    data = message["data"]
    previous = data.get("previous")
    with database:
        known = (
            previous is None
            or database.execute(
                "SELECT 1 FROM message WHERE ledger_index = ? AND head = ?",
                (previous["index"], previous["head"]),
            ).fetchone()
        )
        database.execute(
            "INSERT OR IGNORE INTO message (id, ledger_index, head, previous, whole, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(message_id, data.get("index"), data.get("head")),
                *(previous and previous["index"], bool(known), body),
            ),
        )


def handler_for(webhook: Webhook, database: sqlite3.Connection) -> type[BaseHTTPRequestHandler]:
    """What answers requests: 204 once the message is kept, 400 where it is not from the sender."""
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            if length > MAX_BYTES:
                self.answer(413)
                return
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                message = webhook.verify(body, headers)
            except WebhookVerificationError:
                self.answer(400)
                return
            with one_at_a_time:
                keep(database, headers["webhook-id"], message, body.decode())
            self.answer(204)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing of each request."""

    return Handler


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8080, help="0 lets the system choose")
    parser.add_argument("--database", required=True)
    options = parser.parse_args()
    webhook = Webhook(sys.stdin.readline().strip())
    database = sqlite3.connect(options.database, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(SCHEMA)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), handler_for(webhook, database))
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
