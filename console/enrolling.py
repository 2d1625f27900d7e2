"""Enrolling a rep's device, and taking it off again: what only the installation can do.

Whoever invites waits, with the code on the screen, for the one device that knows it: the code is
in no file, and its time, its use or five wrong attempts end it. The device's key is certified by
the root, on record, before it is given anything; a name is given once and for all.
"""

import asyncio
import contextlib
import datetime
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

import msgspec

from bus.client import Client
from bus.component import connect_as
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.identity import user_token
from bus.provision import Site, read_key, revoke_users
from bus.tls import RunsAuthority, TlsFiles, client_context, passing_site
from console.author import Reader, say
from console.custody import workspace_kms
from console.errors import NoAnswer, NoSuch
from console.pens import root_pen, root_reader
from crypto.keyring import run_key
from crypto.kms import Kms, load_data_key, load_keyring
from crypto.signing import key_id_of
from crypto.tokens import token_key
from crypto.trust import FOREVER
from schemas.captures import MAX_CAPTURES, capture_scope
from schemas.enrolment import (
    MAX_LINE_BYTES,
    Admission,
    Application,
    Code,
    Declined,
    encode_answer,
    format_code,
)
from schemas.errors import UNREADABLE, AnyTeamError
from schemas.leases import Certificate
from schemas.names import SECOND, Role, check_name
from schemas.runs import KeyCertified, KeyRevoked
from schemas.settings import Settings

MAX_ATTEMPTS: Final = 5
_CERTIFICATE_DAYS: Final = 365
_PATIENCE_S: Final = 15.0


async def invite(
    folder: DataFolder, device: str, rep: str, host: str, minutes: int, show: Callable[[str], None]
) -> Certificate:
    """Show a code and wait until one device is enrolled with it.

    Raises `NoAnswer` where none came in time, `NoSuch` for a rep there is not or a name that is
    taken, and whatever keeps the root from signing.
    """
    check_name(device, "device")
    settings = folder.settings()
    if rep not in settings.reps:
        raise NoSuch(f"no rep {rep}", fix=f"one of {', '.join(settings.reps)}")
    with workspace_kms(folder, settings) as kms:
        client = await connect_as(folder, Role.ROOT)
        try:
            reader = root_reader(client, folder, settings.workspace)
            if device in {one.instance for one in await _certified(reader)}:
                raise NoSuch(f"device {device} was enrolled before", fix="choose another name")
            door = _Door(folder, settings, kms, client, reader, device, rep)
            return await door.wait(host, minutes, show)
        finally:
            await disconnect(client)


async def devices(folder: DataFolder) -> list[tuple[Certificate, str]]:
    """Every device, with why it was revoked, empty for those in force."""
    client = await connect_as(folder, Role.ROOT)
    try:
        reader = root_reader(client, folder, folder.settings().workspace)
        return await _known(reader)
    finally:
        await disconnect(client)


async def revoke(folder: DataFolder, device: str, reason: str) -> Certificate:
    """Take a device off: its key signs nothing from here on, and the bus drops it at once.

    Raises `NoSuch` where no such device is in force.
    """
    settings = folder.settings()
    with workspace_kms(folder, settings) as kms:
        client = await connect_as(folder, Role.ROOT)
        try:
            reader = root_reader(client, folder, settings.workspace)
            known = [c for c, why in await _known(reader) if c.instance == device and not why]
            if not known:
                raise NoSuch(f"no device {device} is enrolled", fix="anyteam device list")
            body = KeyRevoked(key_id=known[0].key_id, reason=reason)
            await say(client, reader, root_pen(kms, settings.workspace), body, run=None)
        finally:
            await disconnect(client)
    site = Site(folder.root / "operator", folder.bus_url(), client_context(TlsFiles(folder.tls)))
    await revoke_users(site, settings.workspace, [known[0].user])
    return known[0]


class _Door:
    """Where one device may ask, once."""

    def __init__(
        self,
        folder: DataFolder,
        settings: Settings,
        kms: Kms,
        client: Client,
        reader: Reader,
        device: str,
        rep: str,
    ) -> None:
        self._folder, self._settings, self._kms = folder, settings, kms
        self._client, self._reader = client, reader
        self._device, self._rep = device, rep
        self._secret = secrets.token_bytes(16)
        self._attempts = 0
        self._one_at_a_time = asyncio.Lock()
        self._done: asyncio.Future[Certificate] = asyncio.get_running_loop().create_future()

    async def wait(self, host: str, minutes: int, show: Callable[[str], None]) -> Certificate:
        context, fingerprint = passing_site(minutes)
        server = await asyncio.start_server(
            self._called, host, 0, ssl=context, limit=MAX_LINE_BYTES
        )
        try:
            port = server.sockets[0].getsockname()[1]
            show(format_code(Code(host, port, fingerprint, self._secret)))
            async with asyncio.timeout(minutes * 60):
                return await self._done
        except TimeoutError as error:
            raise NoAnswer(
                f"no device used the code within {minutes} minutes", fix="invite it again"
            ) from error
        finally:
            server.close()

    async def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        certificate = None
        with contextlib.suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                line = await reader.readline()
            async with self._one_at_a_time:
                answer, certificate = await self._answer(line)
            writer.write(encode_answer(answer))
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        writer.close()
        if certificate is not None and not self._done.done():
            self._done.set_result(certificate)

    async def _answer(self, line: bytes) -> tuple[Admission | Declined, Certificate | None]:
        try:
            asked = msgspec.json.decode(line, type=Application)
        except UNREADABLE as error:
            asked, problem = None, f"not an application: {error}"
        if self._done.done() or self._attempts >= MAX_ATTEMPTS:
            return Declined(why="the code is spent"), None
        if asked is None:
            return Declined(why=problem), None
        if not hmac.compare_digest(asked.secret, self._secret):
            self._attempts += 1
            if self._attempts >= MAX_ATTEMPTS:
                self._done.set_exception(
                    NoAnswer("five attempts with wrong secrets were made", fix="invite it again")
                )
            return Declined(why="that is not the code"), None
        try:
            admission, certificate = self._admitted(asked)
            # Spent from here on, whatever becomes of the answer: it may be on record.
            self._attempts = MAX_ATTEMPTS
            pen = root_pen(self._kms, self._settings.workspace)
            body = KeyCertified(certificate=certificate)
            await say(self._client, self._reader, pen, body, run=None)
        except AnyTeamError as error:
            if not self._done.done():
                self._done.set_exception(error)
            return Declined(why=error.what), None
        return admission, certificate

    def _admitted(self, asked: Application) -> tuple[Admission, Certificate]:
        workspace, folder, now = self._settings.workspace, self._folder, time.time_ns()
        operator = folder.root / "operator" / workspace
        jwt = user_token(
            read_key(operator / f"{Role.DEVICE.value}.nk"),
            read_key(operator / "account.nk").public,
            asked.user,
            name=self._device,
            now=now // SECOND,
            expires=None,
        )
        ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=_CERTIFICATE_DAYS)
        shown, authority = RunsAuthority(TlsFiles(folder.tls)).certify(asked.tls, ends)
        certificate = Certificate(
            key_id=key_id_of(asked.event_key),
            public_key=asked.event_key,
            role=Role.DEVICE,
            instance=self._device,
            not_before=now - 3600 * SECOND,
            not_after=FOREVER,
            rep=self._rep,
            user=asked.user,
        )
        data_key = load_data_key(self._kms, folder.data_key_file(workspace), workspace)
        ring = load_keyring(self._kms, folder.keyring_file(workspace), workspace)
        scopes = (capture_scope(self._device, number + 1) for number in range(MAX_CAPTURES))
        admission = Admission(
            workspace=workspace,
            device=self._device,
            rep=self._rep,
            url=folder.bus_url(),
            root=folder.root_public(),
            jwt=jwt,
            authority=authority,
            certificate=shown,
            token_key=token_key(data_key, workspace),
            captures=tuple(run_key(ring, scope) or b"" for scope in scopes),
        )
        return admission, certificate


async def _certified(reader: Reader) -> list[Certificate]:
    return [certificate for certificate, _ in await _known(reader)]


async def _known(reader: Reader) -> list[tuple[Certificate, str]]:
    found: dict[bytes, tuple[Certificate, str]] = {}
    for recorded in await reader.catch_up():
        body = recorded.event.body
        if isinstance(body, KeyCertified) and body.certificate.role is Role.DEVICE:
            found[body.certificate.key_id] = body.certificate, ""
        elif isinstance(body, KeyRevoked) and body.key_id in found:
            found[body.key_id] = found[body.key_id][0], body.reason or "revoked"
    return list(found.values())
