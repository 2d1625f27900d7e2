"""A mailbox behind the Gmail API's REST shape (v1), kept in one JSON file.

    python -m examples.gmail_service --data FILE --token-file F --port-file P --log L

What it serves of users.messages and users.drafts is as their reference describes it: ids, labels,
base64url, search terms, a draft that ends when it is sent and a Message-ID that stays as it was
given. The log has one line for each message that it was asked to send.
"""

import asyncio
import base64
import contextlib
import hmac
import json
import re
import secrets
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from examples.service import (
    announce,
    append_durably,
    common_arguments,
    ending,
    listening_socket,
    say,
    write_durably,
)

BASE = "/gmail/v1/users/me"
Handler = Callable[[Request], Awaitable[Response]]


class Mailbox:
    """Messages by id, with labels, and drafts by id."""

    def __init__(self, path: Path, inbox: Path | None) -> None:
        self._path = path
        self.messages: dict[str, dict[str, Any]] = {}
        self.drafts: dict[str, str] = {}
        if path.exists():
            kept = json.loads(path.read_text())
            self.messages, self.drafts = kept["messages"], kept["drafts"]
        elif inbox is not None:
            for number, file in enumerate(sorted(inbox.glob("*.eml")), 1):
                self.add(file.read_bytes(), "INBOX", "UNREAD", known=f"{number:016x}")
            self.keep()

    def add(self, data: bytes, *labels: str, known: str = "") -> str:
        """A new message's id."""
        message = known or secrets.token_hex(8)
        self.messages[message] = {
            "raw": base64.urlsafe_b64encode(data).decode(),
            "labelIds": list(labels),
            "internalDate": str(time.time_ns() // 1_000_000),
        }
        return message

    def keep(self) -> None:
        """Write it all down, synced."""
        kept = {"messages": self.messages, "drafts": self.drafts}
        write_durably(self._path, json.dumps(kept).encode())

    def parsed(self, message: str) -> EmailMessage:
        """What a message says."""
        found = message_from_bytes(self.data(message), policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    def data(self, message: str) -> bytes:
        """A message's bytes."""
        return base64.urlsafe_b64decode(self.messages[message]["raw"])

    def search(self, query: str, label: str, thrown_away: bool) -> Iterator[str]:
        """The messages that meet a query, newest first."""
        for message in reversed(self.messages):
            labels = self.messages[message]["labelIds"]
            if label in ("", *labels) and (thrown_away or "TRASH" not in labels):
                if all(self._meets(message, *term) for term in _terms(query)):
                    yield message

    def _meets(self, message: str, field: str, value: str) -> bool:
        if field == "is":
            return value.upper() in self.messages[message]["labelIds"]
        if field == "after":
            return int(self.messages[message]["internalDate"]) >= int(value) * 1000
        name = {"rfc822msgid": "Message-ID"}.get(field, field)
        said = str(self.parsed(message).get(name, ""))
        return said.strip("<>") == value if name == "Message-ID" else value.lower() in said.lower()


def _terms(query: str) -> Iterator[tuple[str, str]]:
    for field, quoted, bare in re.findall(r'(\w+):(?:"([^"]*)"|(\S+))', query):
        yield field, quoted or bare


class Gmail:
    """The service, with its faults."""

    def __init__(self, mailbox: Mailbox, options: Any) -> None:
        self._mailbox = mailbox
        self._options = options
        self._token = options.token_file.read_text(encoding="utf-8").strip()

    def app(self) -> Starlette:
        """The routes, each behind the token."""
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/messages", self.list_messages),
            ("GET", "/messages/{id}", self.get_message),
            ("POST", "/messages/{id}/modify", self.modify),
            ("GET", "/drafts", self.list_drafts),
            ("POST", "/drafts", self.create_draft),
            ("POST", "/drafts/send", self.send_draft),
            ("DELETE", "/drafts/{id}", self.delete_draft),
        ]
        return Starlette(
            routes=[
                Route(BASE + path, self._authorised(handler), methods=[method])
                for method, path, handler in routes
            ]
        )

    async def list_messages(self, request: Request) -> Response:
        """users.messages.list"""
        asked = request.query_params
        query = asked.get("q", "")
        if self._options.lagging and "rfc822msgid" in query:
            return JSONResponse({"resultSizeEstimate": 0})
        found = self._mailbox.search(
            query, asked.get("labelIds", ""), asked.get("includeSpamTrash") == "true"
        )
        ids = [{"id": one, "threadId": one} for one in found][: int(asked.get("maxResults", 100))]
        return JSONResponse({"messages": ids, "resultSizeEstimate": len(ids)} if ids else {})

    async def get_message(self, request: Request) -> Response:
        """users.messages.get"""
        message = request.path_params["id"]
        if message not in self._mailbox.messages:
            return _problem(404)
        kept = self._mailbox.messages[message]
        told = {
            "id": message,
            "threadId": message,
            "labelIds": kept["labelIds"],
            "internalDate": kept["internalDate"],
            "sizeEstimate": len(self._mailbox.data(message)),
        }
        if request.query_params.get("format") == "raw":
            told["raw"] = kept["raw"]
        elif request.query_params.get("format") == "metadata":
            head = self._mailbox.parsed(message).items()
            told["payload"] = {"headers": [{"name": n, "value": str(v)} for n, v in head]}
        return JSONResponse(told)

    async def modify(self, request: Request) -> Response:
        """users.messages.modify"""
        message, asked = request.path_params["id"], await request.json()
        if message not in self._mailbox.messages:
            return _problem(404)
        kept = self._mailbox.messages[message]
        left = [one for one in kept["labelIds"] if one not in asked.get("removeLabelIds", [])]
        added = [one for one in asked.get("addLabelIds", []) if one not in left]
        kept["labelIds"] = left + added
        self._mailbox.keep()
        return JSONResponse({"id": message, "labelIds": kept["labelIds"]})

    async def list_drafts(self, request: Request) -> Response:
        """users.drafts.list"""
        drafts = [{"id": d, "message": {"id": m}} for d, m in self._mailbox.drafts.items()]
        return JSONResponse({"drafts": drafts} if drafts else {})

    async def create_draft(self, request: Request) -> Response:
        """users.drafts.create"""
        raw = (await request.json())["message"]["raw"]
        message = self._mailbox.add(base64.urlsafe_b64decode(raw + "=="), "DRAFT")
        draft = f"r{secrets.token_hex(8)}"
        self._mailbox.drafts[draft] = message
        self._mailbox.keep()
        return JSONResponse({"id": draft, "message": {"id": message, "labelIds": ["DRAFT"]}})

    async def send_draft(self, request: Request) -> Response:
        """users.drafts.send: the draft ends, and a message with a new id is among the sent."""
        draft = (await request.json())["id"]
        if draft not in self._mailbox.drafts:
            return _problem(404)
        if self._options.send_status:
            return _problem(self._options.send_status)
        message = self._mailbox.drafts.pop(draft)
        data = self._mailbox.data(message)
        message_id = str(self._mailbox.parsed(message).get("Message-ID", ""))
        del self._mailbox.messages[message]
        sent = secrets.token_hex(8)
        if not self._options.drop_writes:
            self._mailbox.add(data, "SENT", known=sent)
        self._mailbox.keep()
        effect = "dropped" if self._options.drop_writes else "sent"
        append_durably(self._options.log, {"message_id": message_id, "effect": effect})
        if self._options.hold_answers:
            say(f"held {message_id}")
            await asyncio.Event().wait()
        if self._options.garble:
            return Response(b'{"id": [', media_type="application/json")
        return JSONResponse({"id": sent, "threadId": sent, "labelIds": ["SENT"]})

    async def delete_draft(self, request: Request) -> Response:
        """users.drafts.delete"""
        message = self._mailbox.drafts.pop(request.path_params["id"], None)
        if message is None:
            return _problem(404)
        del self._mailbox.messages[message]
        self._mailbox.keep()
        return Response(status_code=204)

    def _authorised(self, handler: Handler) -> Handler:
        expected = f"Bearer {self._token}".encode()

        async def check(request: Request) -> Response:
            given = request.headers.get("authorization", "").encode()
            return await handler(request) if hmac.compare_digest(given, expected) else _problem(401)

        return check


def _problem(status: int) -> Response:
    return JSONResponse({"error": {"code": status}}, status)


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handling: `ending` has that."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


async def _serve() -> None:
    parser = common_arguments("examples.gmail_service")
    parser.add_argument("--data", type=Path, required=True, help="made if missing")
    parser.add_argument("--inbox", type=Path, help=".eml files to begin with")
    parser.add_argument("--token-file", type=Path, required=True)
    parser.add_argument("--send-status", type=int, default=0, help="answer so to each sending")
    parser.add_argument("--garble", action="store_true", help="send, and answer what is no JSON")
    parser.add_argument("--lagging", action="store_true", help="search that finds nothing yet")
    options = parser.parse_args()
    service = Gmail(Mailbox(options.data, options.inbox), options)
    opened = listening_socket(options.port)
    server = _Server(
        uvicorn.Config(
            service.app(),
            lifespan="off",
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[opened]))
    told = ending(options.lifeline)
    announce(opened, options.port_file)
    waiting = asyncio.ensure_future(told.wait())
    await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    sys.exit(asyncio.run(_serve()))
