"""The NATS client comes without what only websockets need."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["bus.client", "bus.component", "console.main"])
def test_a_process_does_not_load_what_only_websockets_need(module: str) -> None:
    asked = f"import sys, {module}; print('aiohttp' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True)
    assert answer.stdout.strip() == b"False"


def test_others_may_still_load_it() -> None:
    asked = "import bus.client, aiohttp; print(aiohttp.__name__)"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, check=True)
    assert answer.stdout.strip() == b"aiohttp"
