"""A device from its one-time code to its transcript on the ledger, through a dead bus and kills."""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bus.errors import BusError
from bus.folder import DataFolder
from console import enrolling
from console.commands.runs import request_run
from console.custody import workspace_kms
from console.session import session
from crypto.kms import load_data_key
from crypto.tokens import token_key
from desktop_agent.capture.sound import file_frames
from desktop_agent.enrolled import enrolled_in
from desktop_agent.model.prepare import prepare, weights_folder
from desktop_agent.publishing import on_the_bus, sync
from desktop_agent.queue import opened
from schemas.actions import ActionFinished
from schemas.captures import CaptureStarted, CaptureStopped, TranscriptSynced
from schemas.content import Sealed
from schemas.content import opened as content_of
from schemas.leases import Intent
from schemas.names import Role
from schemas.runs import RunCompleted, RunOutcome
from tests.desktop.talk import SEGMENTS
from tests.desktop.talk import said as said_in
from tests.faults.installation import ROOT, follow, is_a, is_end, until, up
from tests.speech import spoken

SETTINGS = """\
workspace = "acme"
reps = ["ann"]
admins = ["ada"]
[policy]
tools = ["transcripts.read"]
[connectors]
transcripts = true
[agents.thinker]
planner = "scripted"
plan = "thinker.json"
"""
SAID = (
    "Good morning, and thank you for your time today.",
    "My name is Patrick Doyle, and my number is four one five, five five five, zero one nine"
    " eight.",
)
PLANTED = ("patrick", "doyle", "0198", "nine eight", "five five")


async def desktop(home: Path, *words: str) -> tuple[int, str]:
    """The `anyteam-desktop` command: its exit code, and what it said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "desktop_agent.command", *words, "--home", str(home)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, (out or err).decode()


async def enrolled(folder: DataFolder, home: Path) -> str:
    """Enrol `laptop` of ann by the commands' own functions; the code that was used."""
    shown: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    inviting = asyncio.ensure_future(
        enrolling.invite(folder, "laptop", "ann", "127.0.0.1", 10, shown.set_result)
    )
    await asyncio.wait({inviting, shown}, return_when=asyncio.FIRST_COMPLETED)
    code = shown.result()
    ended, said = await desktop(home, "enrol", code)
    assert ended == 0, said
    assert (await inviting).instance == "laptop"
    return code


async def an_hour_of_talk(home: Path) -> None:
    """Have an hour of talk queued by processes, two of which are killed as they note a segment."""
    kept = 0
    for last in (SEGMENTS // 3, 2 * SEGMENTS // 3, None):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.desktop.talk", str(home), str(kept + 1)),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None and process.stdout is not None
        number = kept
        while line := await process.stdout.readline():
            number = int(line)
            process.stdin.write(b"\n")
            if number == last:
                # It was told to go on, and is somewhere in the next.
                await process.stdin.drain()
                process.kill()
                break
        await process.wait()
        with opened(home) as queue:
            kept += queue.state.segment
        assert kept in (number, number + 1)
    assert kept == SEGMENTS


@contextlib.asynccontextmanager
async def sender(home: Path, url: str) -> AsyncIterator["asyncio.subprocess.Process"]:
    """A process that sends what waits; killed with SIGKILL at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "desktop_agent.command", "sync"),
        *("--home", str(home), "--bus", url),
        cwd=ROOT,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def until_segment(folder: DataFolder, least: int) -> None:
    """Until so many segments stand on the ledger."""
    found = 0
    async with asyncio.timeout(60), contextlib.aclosing(follow(folder)) as entries:
        async for recorded in entries:
            body = recorded.event.body
            found += isinstance(body, TranscriptSynced)
            if found >= least:
                return


async def on_the_ledger(folder: DataFolder) -> list[Any]:
    """All that devices said, opened."""
    async with session(folder.root, Role.REP) as seen:
        return [r for r in seen.past if r.event.actor.role is Role.DEVICE]


async def test_a_device_says_each_segment_once_and_a_run_reads_it(tmp_path: Path) -> None:
    folder, home = DataFolder(tmp_path / "data"), tmp_path / "home"
    folder.root.mkdir()
    folder.settings_file.write_text(SETTINGS)
    async with up(folder):
        code = await enrolled(folder, home)
        ended, said = await desktop(tmp_path / "other", "enrol", code)
        assert ended == 1, said
        assert not (tmp_path / "other" / "device.json").exists()
    # The bus is away for the whole hour.
    await an_hour_of_talk(home)
    ended, said = await desktop(home, "sync")
    assert ended == 1, said
    waiting = (home / "queue.sqlite").read_bytes()
    assert b"Segment" not in waiting and b"PERSON" not in waiting
    async with up(folder):
        url = folder.bus_url()
        for least in (1, SEGMENTS // 3):
            async with sender(home, url):
                await until_segment(folder, least)
        ended, said = await desktop(home, "sync", "--bus", url, "--json")
        assert ended == 0, said
        assert json.loads(said)["signed"] == 0
        found = await on_the_ledger(folder)
        bodies = [r.event.body for r in found]
        assert isinstance(bodies[0], CaptureStarted)
        assert isinstance(bodies[-1], CaptureStopped)
        heard = [body for body in bodies if isinstance(body, TranscriptSynced)]
        # Once each and in order, of three captures, each begun and stopped.
        texts = [content_of(body.text) for body in heard]
        assert texts == [said_in(number) for number in range(1, SEGMENTS + 1)]
        for kind in (CaptureStarted, CaptureStopped):
            assert [body.capture for body in bodies if isinstance(body, kind)] == [1, 2, 3]
        sealed = [r.published.body for r in found if isinstance(r.event.body, TranscriptSynced)]
        assert all(isinstance(body.text, Sealed) for body in sealed)
        await a_run_reads_it(folder)
        await speech_leaves_redacted_and_nothing_else_does(folder, home, url)
        await it_is_revoked_at_once(folder, home, url)


async def a_run_reads_it(folder: DataFolder) -> None:
    steps = [{"tool": "transcripts.read", "arguments": {"limit": 3}, "purpose": "the meeting"}]
    (folder.root / "thinker.json").write_text(json.dumps({"steps": steps}))
    async with session(folder.root, Role.REP) as seen:
        intent = Intent(summary="Summarise what was said in the meeting")
        run = await request_run(seen, "thinker", intent, ("transcripts.read",), 120, 9, None)
    entries = await until(folder, run, is_end)
    end = entries[-1].event.body
    assert isinstance(end, RunCompleted) and end.outcome is RunOutcome.SUCCESS, end
    (given,) = [content_of(e.event.body.result) for e in entries if is_a(ActionFinished)(e)]  # type: ignore[union-attr]
    texts = [one["text"] for one in given["segments"]]
    assert texts == [said_in(n) for n in range(118, 121)]
    assert given["segments"][0]["speaker"] == "rep ann"
    assert given["segments"][0]["start_s"] == 118 * 30


async def speech_leaves_redacted_and_nothing_else_does(
    folder: DataFolder, home: Path, url: str
) -> None:
    sound, settings = spoken(SAID), folder.settings()
    outside = home.parent / "outside"
    outside.mkdir()
    (outside / "speech.wav").write_bytes(sound)
    made = prepare(weights_folder(), outside / "tiny.en.bin")
    ended, said = await desktop(home, "init", made.path, "--sha256", made.sha256)
    assert ended == 0, said
    ended, said = await desktop(
        home, "transcribe", str(outside / "speech.wav"), "--sync", "--bus", url
    )
    assert ended == 0, said
    bodies = [one.event.body for one in await on_the_ledger(folder)]
    heard = [b for b in bodies if isinstance(b, TranscriptSynced) and b.capture == 4]
    text = " ".join(content_of(body.text) for body in heard).lower()
    assert "good morning" in text and "[person_" in text, text
    assert [word for word in PLANTED if word in text] == [], text
    with workspace_kms(folder, settings) as kms:
        data_key = load_data_key(kms, folder.data_key_file("acme"), "acme")
    assert enrolled_in(home).admission.token_key == token_key(data_key, "acme")
    # In nothing that was written on either side: stream, outboxes, logs, the device's own folder.
    heard_as = b"".join(file_frames(os.open(outside / "speech.wav", os.O_RDONLY)))
    sounds = (loudest(sound[44:]), loudest(heard_as))
    assert all(len(set(one)) > 16 for one in sounds)
    for file in (path for root in (folder.root, home) for path in root.rglob("*")):
        if file.is_file():
            held = file.read_bytes()
            assert [word for word in (b"Patrick", b"patrick", *sounds) if word in held] == [], file


def loudest(samples: bytes) -> bytes:
    """64 bytes of 16-bit sound, from where it is loudest."""
    at = int(np.abs(np.frombuffer(samples, "<i2").astype(np.int32)).argmax())
    return samples[max(0, 2 * at - 32) :][:64]


async def it_is_revoked_at_once(folder: DataFolder, home: Path, url: str) -> None:
    device = enrolled_in(home)
    client = await on_the_bus(device, url)
    await enrolling.revoke(folder, "laptop", "the laptop was stolen")
    async with asyncio.timeout(30):
        while not client.is_closed:
            await asyncio.sleep(0.01)
    with opened(home) as queue:
        queue.begin("default device", "", time.time_ns())
        with pytest.raises(BusError):
            await sync(device, queue, url)
        assert queue.next() is not None
    ((certificate, why),) = await enrolling.devices(folder)
    assert (certificate.instance, why) == ("laptop", "the laptop was stolen")
