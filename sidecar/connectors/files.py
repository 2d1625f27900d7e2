"""Text files below one folder: list, read, write.

A write is one atomic replacement, confirmed by reading the file again. Its idempotency
rests on the content: what already reads as asked is not written twice, and reconciling
compares content. A file that reads otherwise and changed after the key was made may have
been written by us and changed by another since: that is UNKNOWN, not overwritten.
"""

import asyncio
import codecs
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from schemas.names import Classification
from schemas.tools import Effect, Tool, Trust
from sidecar.connectors.beneath import Opener, open_beneath
from sidecar.connectors.connector import (
    Finding,
    Found,
    Outcome,
    arguments_as,
    check_key,
    confirmed,
    cut,
    key_milliseconds,
    schema_of,
    unknown,
)
from sidecar.connectors.folder import Folder, list_folder, parts_of, read_file, replace_file
from sidecar.errors import BadArguments, BadTarget, ConnectorError, OutsideFolder, Unanswered

MAX_CONTENT: Final = 32_768
MAX_TEXT_BYTES: Final = 48 * 1024
MAX_READ_BYTES: Final = 1024 * 1024
MAX_ENTRIES: Final = 200

Path_ = Annotated[str, Meta(max_length=1024, pattern=r"^[^\x00-\x1f\x7f\\]*$(?!\n)")]


class ListFolder(Struct, frozen=True, forbid_unknown_fields=True):
    """`path` is a folder below the root; empty for the root."""

    path: Path_ = ""


class ReadFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`path` is a file below the root."""

    path: Annotated[Path_, Meta(min_length=1)]


class WriteFile(Struct, frozen=True, forbid_unknown_fields=True):
    """`content` becomes the whole file."""

    path: Annotated[Path_, Meta(min_length=1)]
    content: Annotated[str, Meta(max_length=MAX_CONTENT)]


FILES_TOOLS: Final = (
    Tool(
        name="files.list",
        summary="List the files and folders in a folder",
        arguments=schema_of(ListFolder),
        effect=Effect.READ,
        paths=("path",),
    ),
    Tool(
        name="files.read",
        summary="Read a text file",
        arguments=schema_of(ReadFile),
        effect=Effect.READ,
        paths=("path",),
    ),
    Tool(
        name="files.write",
        summary="Create or replace a text file",
        arguments=schema_of(WriteFile),
        effect=Effect.MUTATION,
        paths=("path",),
        objects=("path",),
        contents=("content",),
        trust=Trust.TRUSTED,
        classification=Classification.INTERNAL,
        confirm="the file is read again and compared byte for byte",
    ),
)


class FilesConnector:
    """Everything below `root`; `hard_links` allows files with other names.

    See the module's docstring.
    """

    tools: tuple[Tool, ...] = FILES_TOOLS

    def __init__(
        self, root: Path, *, hard_links: bool = False, opener: Opener = open_beneath
    ) -> None:
        self._root = Folder(root, hard_links, opener)

    async def execute(self, tool: str, arguments: dict[str, Any], key: str) -> Outcome:
        check_key(key)
        if tool == "files.list":
            return await asyncio.to_thread(self._list, arguments_as(ListFolder, arguments))
        if tool == "files.read":
            return await asyncio.to_thread(self._read, arguments_as(ReadFile, arguments))
        if tool == "files.write":
            return await _whole(self._write, _to_write(arguments), key)
        raise BadArguments("this connector does not serve that tool")

    async def reconcile(self, tool: str, arguments: dict[str, Any], key: str) -> Found:
        if tool != "files.write":
            return Found(Finding.NOT_DONE)
        return await asyncio.to_thread(self._find, _to_write(arguments), key_milliseconds(key))

    def _list(self, asked: ListFolder) -> Outcome:
        entries = list_folder(self._root, asked.path)
        shown = [
            {"name": entry.name, "folder": entry.folder, "bytes": entry.size}
            for entry in entries[:MAX_ENTRIES]
        ]
        result = {"entries": shown, "truncated": len(entries) > len(shown)}
        evidence = "\n".join(entry.name for entry in entries).encode()
        return confirmed(evidence, f"{len(entries)} entries", result)

    def _read(self, asked: ReadFile) -> Outcome:
        file = read_file(self._root, asked.path, MAX_READ_BYTES)
        whole = file.size <= len(file.data)
        try:
            decoder = codecs.getincrementaldecoder("utf-8")()
            text = decoder.decode(file.data, final=whole)
        except UnicodeDecodeError as error:
            raise BadTarget("the file is not UTF-8 text") from error
        shown, shortened = cut(text, MAX_TEXT_BYTES)
        result = {"text": shown, "bytes": file.size, "truncated": shortened or not whole}
        return confirmed(file.data, f"read {file.size} bytes", result)

    def _write(self, asked: WriteFile, key: str) -> Outcome:
        data = asked.content.encode()
        if self._content(asked) != data:
            try:
                replace_file(self._root, asked.path, data, key)
            except Unanswered as error:
                return unknown(str(error))
        try:
            content = self._content(asked)
        except ConnectorError as error:
            return unknown(f"written, but it could not be read back: {error}")
        if content != data:
            return unknown("written, but the file reads otherwise", content or b"")
        return _written(data)

    def _find(self, asked: WriteFile, since_ms: int) -> Found:
        data = asked.content.encode()
        try:
            file = read_file(self._root, asked.path, len(data) + 1)
        except OutsideFolder as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        except BadTarget:
            return Found(Finding.NOT_DONE, settled=True)
        except ConnectorError as error:
            return Found(Finding.UNKNOWN, detail=str(error))
        if file.data == data:
            return Found(Finding.DONE, _written(data))
        if file.changed // 1_000_000 > since_ms:
            return Found(Finding.UNKNOWN, detail="the file changed since, and reads otherwise")
        return Found(Finding.NOT_DONE, settled=True)

    def _content(self, asked: WriteFile) -> bytes | None:
        """The file's bytes, one more than asked for at most; None where there is no file."""
        try:
            return read_file(self._root, asked.path, len(asked.content.encode()) + 1).data
        except OutsideFolder:
            raise
        except BadTarget:
            return None


async def _whole(write: Callable[[WriteFile, str], Outcome], asked: WriteFile, key: str) -> Outcome:
    """In a thread, which nothing stops half-way: who is cancelled waits for its end."""
    thread = asyncio.ensure_future(asyncio.to_thread(write, asked, key))
    try:
        return await asyncio.shield(thread)
    finally:
        await asyncio.gather(thread, return_exceptions=True)


def _to_write(arguments: dict[str, Any]) -> WriteFile:
    asked = arguments_as(WriteFile, arguments)
    parts_of(asked.path)
    return asked


def _written(data: bytes) -> Outcome:
    digest = hashlib.sha256(data).hexdigest()
    return confirmed(data, f"{len(data)} bytes read back", {"bytes": len(data), "sha256": digest})
