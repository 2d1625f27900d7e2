"""A seed replays exactly: in another process, under another hash seed, byte for byte."""

import os
import subprocess
import sys
from pathlib import Path

PLAY = """
import hashlib
from tests.simulation.scenario import play
digests = b"".join(play(seed).digest for seed in range(40))
print(hashlib.sha256(digests).hexdigest())
"""


def played(hash_seed: str) -> str:
    answer = subprocess.run(
        [sys.executable, "-c", PLAY],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout


def test_a_seed_gives_the_same_bytes_whatever_the_hash_seed() -> None:
    assert played("1") == played("2")
