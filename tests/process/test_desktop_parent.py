"""The process that holds sound ends with its parent, whatever it was doing."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from desktop_agent.model.prepare import prepare, weights_folder
from tests.desktop.sound import endless

ROOT = Path(__file__).parents[2]
PATIENCE_S = 120

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
    endless(sound)
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
