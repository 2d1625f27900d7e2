"""`python -m console.feeding --data FOLDER`: the feeder's process.

It reads the ledger and the seals, holds no content key, and signs nothing but what witnesses
answered. It reaches the witnesses of the settings, and nothing else.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from bus.component import connect_as, event_signer, run_process, say_ready, until_orphaned
from bus.connection import disconnect
from bus.folder import DataFolder
from bus.lifeline import stdin_reader
from console.author import Pen
from console.feeding.asking import new_client, put
from console.feeding.feeder import Feeder
from console.feeding.memory import Memory
from crypto.trust import Trust
from ledger.cosignature import parse_witness_vkey
from schemas.events import Actor
from schemas.names import Role
from schemas.sections import BadSettings


async def serve(folder: DataFolder) -> None:
    """Feed the witnesses until the parent is gone."""
    reader = await stdin_reader()
    await until_orphaned(reader, _serve(folder))


async def _serve(folder: DataFolder) -> None:
    settings = folder.settings()
    if settings.witnesses is None:
        raise BadSettings("no witnesses are configured", fix="write [witnesses] into anyteam.toml")
    asked = tuple((one.url, parse_witness_vkey(one.vkey)) for one in settings.witnesses.ask)
    signer = event_signer(folder, Role.FEEDER)
    pen = Pen(Actor(Role.FEEDER, "feeder"), signer.key_id, signer.sign_raw)
    client = await connect_as(folder, Role.FEEDER)
    try:
        async with new_client() as http:
            trust = Trust(settings.workspace, folder.root_public())
            memory = Memory(folder.witnesses)
            feeder = Feeder(client, memory, trust, pen, asked, partial(put, http))
            # What it has to read may be long, and nobody waits for it.
            say_ready()
            await feeder.run()
    finally:
        await disconnect(client)


def main() -> int:
    """The process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m console.feeding")
    parser.add_argument("--data", type=Path, required=True, help="the data folder")
    return run_process(serve(DataFolder(parser.parse_args().data)))


if __name__ == "__main__":
    sys.exit(main())
