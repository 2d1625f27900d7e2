"""The real sidecar, but for one address of loopback, which counts as out on the internet.

A web server of a test's cannot have a public address; nothing else is different.
"""

import argparse
import sys
from ipaddress import ip_address
from pathlib import Path

from bus.component import run_process
from bus.folder import DataFolder
from schemas.addresses import Address, is_public
from sidecar.__main__ import serve

INTERNET = ip_address("127.0.0.1")


def admits(address: Address) -> bool:
    """One address of this machine is outside, all others are as ever."""
    return address == INTERNET or is_public(address)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    sys.exit(run_process(serve(DataFolder(parser.parse_args().data), admits)))
