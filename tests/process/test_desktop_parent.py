"""The process that holds sound ends with its parent, whatever it was doing."""

import io
import os
import select
import signal
import subprocess
import sys
import wave
from pathlib import Path

import pytest

from desktop_agent.model.prepare import prepare, weights_folder

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120
FRAMES = 1 << 29
"""Nine hours, which take no room on the disk."""

# Paused at once, it would wait for its parent's next word for ever.
PARENT = """\
import asyncio, sys
from pathlib import Path
from desktop_agent.capture.messages import Order
from desktop_agent.capturing import opened, start_capture

async def main(model, sound):
    with opened(Path(sound)) as descriptor:
        order = Order(model=model, descriptor=descriptor, token_key=bytes(32))
        async with await start_capture(order) as capture:
            async for said in capture.said():
                await capture.tell("pause")
                print(capture.pid, type(said).__name__, flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="process descriptors are Linux's")
def test_what_holds_sound_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    made = prepare(weights_folder(), tmp_path / "tiny.en.bin")
    sound = tmp_path / "silence.wav"
    sound.write_bytes(head_of_silence())
    os.truncate(sound, sound.stat().st_size + 2 * FRAMES)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, made.path, str(sound)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert parent.stdout is not None
        pid, said = parent.stdout.readline().split()
        assert said == "Ready"
        child = os.pidfd_open(int(pid))
        try:
            assert select.select([child], [], [], 0)[0] == []
            parent.send_signal(signal.SIGKILL)
            assert select.select([child], [], [], PATIENCE_S)[0] == [child]
        finally:
            os.close(child)
    finally:
        parent.kill()
        parent.wait()


def head_of_silence() -> bytes:
    """A WAV file's head that announces `FRAMES` frames."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.setnframes(FRAMES)
        out.writeframesraw(b"")
        return file.getvalue()
