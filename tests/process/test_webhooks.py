"""Webhooks on a real installation, with the documentation's consumer at the other end.

The consumer is `examples/webhook_consumer`, which knows of us what docs/webhooks.md says. What
arrived is read from its database, waiting is for what stands there, to a deadline.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from typer.testing import CliRunner

from bus.folder import DataFolder
from console.author import say
from console.main import app
from console.session import session
from console.supervisor import Supervisor
from schemas.names import Role
from schemas.runs import HaltReleased, HaltScope

pytestmark = pytest.mark.asyncio

ROOT = Path(__file__).parents[2]
DEADLINE_S = 90.0
SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["files.read"]
[connectors.files]
root = "files"
[webhooks]
private = ["127.0.0.1"]
"""


class Consumer:
    """The example as a process, started again on the same port and database."""

    def __init__(self, home: Path, secret: str) -> None:
        self.database, self.secret, self.port = home / "consumer.sqlite", secret, 0
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        program = ROOT / "examples" / "webhook_consumer" / "consumer.py"
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(program), "--port", str(self.port)),
            *("--database", str(self.database)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(self.secret.encode() + b"\n")
        self.port = int(await self._process.stdout.readline())

    async def kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def rows(self, what: str = "ledger_index, whole") -> list[Any]:
        """What it has kept, in the order of arrival; tests aside."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as database:
            return database.execute(
                f"SELECT {what} FROM message WHERE ledger_index IS NOT NULL ORDER BY number"  # noqa: S608
            ).fetchall()


class House(Struct, frozen=True):
    """A running installation with one endpoint, `crm`, and its consumer."""

    folder: DataFolder
    supervisor: Supervisor
    consumer: Consumer

    async def webhook(self, *words: str) -> list[dict[str, Any]]:
        """`anyteam webhook …`, without a process of its own; the JSON it prints."""
        told = ("webhook", *words, "--data", str(self.folder.root), "--json")
        result = await asyncio.to_thread(CliRunner().invoke, app, told)
        assert result.exception is None, result.exception
        return [json.loads(line) for line in result.stdout.splitlines()]

    async def tell(self, events: int) -> int:
        """Put so many events into the ledger; the index of the last."""
        last = 0
        async with session(self.folder.root, Role.ADMIN, content=False) as opened:
            pen = opened.pen(Role.ADMIN, None)
            for number in range(events):
                body = HaltReleased(scope=HaltScope.RUN, target="r-1", reason=f"{number}")
                last = await say(opened.client, opened.reader, pen, body, run=None)
        return last

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                await asyncio.sleep(0.02)

    def kill_sender(self) -> bool:
        """Whether it was there to be killed: after the last time it may not be up again yet."""
        try:
            os.kill(self.supervisor.pid_of("webhooks"), signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    async def logged(self, times: int) -> list[dict[str, Any]]:
        """The delivery log, once it has so many deliveries."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                log = await self.webhook("deliveries", "crm", "--limit", "500")
                if sum(one["outcome"] == "delivered" for one in log) >= times:
                    return log
                await asyncio.sleep(0.05)

    async def arrived(self, index: int) -> None:
        """Wait until the consumer has kept the entry at `index`."""
        await self.until(lambda: (index,) in self.consumer.rows("ledger_index"))


async def command(folder: DataFolder, *words: str) -> list[dict[str, Any]]:
    """The same as a process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console.main", "webhook", *words),
        *("--data", str(folder.root), "--json"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


@asynccontextmanager
async def house(home: Path) -> AsyncIterator[House]:
    folder = DataFolder(home / "data")
    (folder.root / "files").mkdir(parents=True)
    folder.settings_file.write_text(SETTINGS)
    components = {"webhooks": ("projections.webhooks",)}
    supervisor = Supervisor(folder, lambda text: None, components=components)
    consumer = Consumer(home, "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    try:
        await supervisor.up()
        await consumer.start()
        url = f"http://127.0.0.1:{consumer.port}/hook"
        consumer.secret = (await command(folder, "add", "crm", url, "--from", "1"))[0]["secret"]
        await consumer.kill()
        await consumer.start()
        yield House(folder, supervisor, consumer)
    finally:
        await consumer.kill()
        await supervisor.down()


async def test_a_consumer_loses_nothing_while_both_sides_are_killed_at_random(
    tmp_path: Path,
) -> None:
    dice = random.Random(5)
    async with house(tmp_path) as here:
        consumer = here.consumer
        telling = asyncio.ensure_future(here.tell(120))
        victims = ["sender"] * 3 + ["consumer"] * 6
        dice.shuffle(victims)
        for victim in victims:
            goal = len(consumer.rows()) + dice.randrange(1, 8)
            await here.until(lambda goal=goal: len(consumer.rows()) >= goal)  # type: ignore[misc]
            if victim == "sender":
                await here.until(here.kill_sender)
            else:
                await consumer.kill()
                await consumer.start()
        last = await telling
        await here.arrived(last)
        assert consumer.rows() == [(index, 1) for index in range(1, last + 1)]


async def test_people_rotate_pause_replay_and_read_the_log(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.arrived(await here.tell(3))
        new = (await here.webhook("rotate", "crm"))[0]["secret"]
        assert (await here.webhook("test", "crm"))[0]["ok"], "the old secret is over at once"
        await here.consumer.kill()
        here.consumer.secret = new
        await here.consumer.start()
        assert (await here.webhook("test", "crm"))[0]["ok"]

        await here.webhook("pause", "crm")
        last = await here.tell(2)
        assert (await here.webhook("list"))[0]["status"] == "paused"
        await here.webhook("resume", "crm")
        await here.arrived(last)

        # What has arrived is in the log once its answer was heard, which a replay would cut off.
        await here.logged(last)
        await here.webhook("replay", "crm", "--from", "1")
        log = await here.logged(2 * last)
        assert {one["outcome"] for one in log} <= {"delivered", "retry"}
        assert len({one["message_id"] for one in log}) == last
        assert [row[0] for row in here.consumer.rows()] == list(range(1, last + 1))


async def test_nothing_that_opens_a_signature_lies_in_clear(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        await here.arrived(await here.tell(1))
        secret = here.consumer.secret.removeprefix("whsec_").encode()
        files = [path for path in here.folder.root.rglob("*") if path.is_file()]
        assert here.folder.webhook_file in files
        assert not [path for path in files if secret in path.read_bytes()]
