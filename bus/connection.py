"""One connection to the bus, as one identity, from secrets held in memory.

The first connection succeeds or fails at once and says why; a later loss the client mends
itself, for as long as it takes, unless its identity has ended. A subject the server
refuses is reported: to the caller NATS answers it with silence.
"""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from bus.asking import heeding_cancellation
from bus.client import Client, NatsError
from bus.errors import BusError, ConnectionRefused, ConnectionTrouble, PermissionDenied
from bus.identity import UserIdentity

RECONNECT_WAIT_S: Final = 0.25
PING_INTERVAL_S: Final = 10
CLOSE_S: Final = 2.0

_LOG: Final = logging.getLogger(__name__)
_DENIED: Final = re.compile(r"permissions violation for (.+)", re.IGNORECASE)
_OVER: Final = re.compile(
    r"authentication (expired|revoked)|authorization (violation|failed)", re.I
)
_GONE: Final = (OSError, RuntimeError, AttributeError)
"""What writing to a closed transport raises: a socket's, uvloop's, and asyncio's for TLS."""

Notice = Callable[[BusError], None]


class Archive(Protocol):
    """Closed epochs of the ledger, off the bus."""

    def has(self, epoch: int) -> bool:
        """Whether the epoch is here."""
        ...

    def entries(self, epoch: int, after: int) -> Iterator[tuple[int, str, bytes]]:
        """Its entries after index `after`, in order: index, subject, message body."""
        ...


class BusClient(Client):
    """A connection that knows where the ledger's dropped epochs lie, if anywhere."""

    archive: Archive | None = None

    @staticmethod
    def _parse_header_lines(raw: bytes) -> dict[str, str]:
        """A message's headers, split at the first colon of each line.

        The client's own looks at each letter of each name for blanks, which is a seventh of what a
        reader spends on an entry. Nothing here rests on an entry's headers: what counts is signed.
        """
        lines = raw.decode("utf-8", "replace").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        return {name: value.strip() for name, colon, value in pairs if colon}

    async def _close(self, status: int, do_cbs: bool = True) -> None:
        """End it, also where the connection is gone.

        The client's own first writes what still waits, to where the connection was, and raises what
        comes of it with everything else left open. Whoever closed would be taken for the one who
        failed, and why it did so would be lost.
        """
        try:
            await super()._close(status, do_cbs)
        except _GONE:
            self._pending, self._pending_data_size = [], 0
            self._status = Client.DISCONNECTED
            await super()._close(status, do_cbs)

    async def _flush_pending(self, force_flush: bool = False) -> Any:
        """Send what waits. Where the connection is gone and nobody has noticed yet, it is as if it
        were lost on the way: whoever needs an answer asks again.
        """
        try:
            return await super()._flush_pending(force_flush)
        except _GONE:
            nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            nothing.set_result(None)
            return nothing


def archive_of(client: Client) -> Archive | None:
    """The archive that a connection reads on from, or None."""
    return client.archive if isinstance(client, BusClient) else None


async def connect(
    url: str,
    identity: UserIdentity,
    tls: ssl.SSLContext,
    *,
    name: str,
    inbox_prefix: str | None = None,
    on_problem: Notice | None = None,
    timeout_s: int = 5,
    mend: bool = True,
) -> BusClient:
    """A client of the server at `url`, which knows it by `name` in its logs. Where `url` lists
    several with commas between them, of any one of them, and of another where that is lost.

    `on_problem` is told of every refused subject (`PermissionDenied`), every loss
    (`ConnectionTrouble`), and of the identity's end (`ConnectionRefused`), after which the
    client is closed; without it they are logged. `inbox_prefix` is the identity's own
    unless its permissions name another. Without `mend` the first loss is the identity's end:
    a process that has given up opening connections cannot come back.

    Raises `ConnectionRefused` where there is no server or it refuses this identity.
    """
    tell = on_problem or _log
    client = BusClient()
    endings: set[asyncio.Task[None]] = set()
    over: list[str] = []
    established = False

    def ends(error: Exception | None) -> bool:
        if error is None or not _OVER.search(str(error)):
            return False
        over.append(_words(error))
        return True

    async def on_error(error: Exception) -> None:
        if not established:
            return
        # The client forgets why it was cut off as soon as it tries to come back; and after a
        # restart the server refuses an ended identity at every attempt.
        if over or ends(error) or ends(client.last_error):
            endings.add(asyncio.create_task(client.close()))
        elif not client.is_closed:
            # What was still on its way to who has closed is no trouble.
            tell(_problem(error, name))

    async def on_closed() -> None:
        if established and (over or ends(client.last_error)):
            tell(ConnectionRefused(f"{name} is off the bus for good: {over[0]}"))
        elif established and not mend:
            tell(ConnectionRefused(f"{name} has lost the bus, and opens no second connection"))

    try:
        with heeding_cancellation():
            await client.connect(
                url.split(","),
                name=name,
                tls=tls,
                # Without it a stranger on the port could talk the client out of TLS.
                tls_handshake_first=True,
                user_jwt_cb=identity.present,
                signature_cb=identity.answer,
                inbox_prefix=inbox_prefix or identity.inbox,
                error_cb=on_error,
                closed_cb=on_closed,
                connect_timeout=timeout_s,
                ping_interval=PING_INTERVAL_S,
                allow_reconnect=False,
                max_reconnect_attempts=1,
                reconnect_time_wait=0,
            )
    except (OSError, NatsError, TimeoutError) as error:
        raise ConnectionRefused(
            f"{name} cannot connect to {url}: {_words(client.last_error or error)}",
            fix="check that the server is up and the identity neither expired nor revoked",
        ) from error
    except asyncio.CancelledError:
        # A connection given up half-way may never say that it is closed.
        await disconnect(client)
        raise
    if mend:
        client.options["allow_reconnect"] = True
        client.options["max_reconnect_attempts"] = -1
        client.options["reconnect_time_wait"] = RECONNECT_WAIT_S
    established = True
    return client


async def disconnect(client: Client) -> None:
    """Close the connection; where the server is gone, without waiting for it."""
    with heeding_cancellation(), contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await client.close()


def _problem(error: Exception, name: str) -> BusError:
    denied = _DENIED.search(str(error))
    if denied:
        return PermissionDenied(
            f"{name} is not permitted: {denied[1]}",
            fix="if its role should be, change `bus.roles` and provision again",
        )
    return ConnectionTrouble(f"{name}: {_words(error)}")


def _words(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _log(problem: BusError) -> None:
    _LOG.warning("%s: %s", type(problem).__name__, problem)
