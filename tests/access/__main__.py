"""`python -m tests.access [--json]`: every route by every role, another workspace, and nobody.

Exits 0 where nothing is allowed wrongly, nothing refused wrongly, and every route is decided.
"""

import argparse
import asyncio
import sys

import msgspec

from tests.access.trial import trial


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.access")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    found = asyncio.run(trial())
    said = msgspec.to_builtins(found) | {"allowed_wrongly": len(found.allowed_wrongly)}
    said["wrong"] = found.allowed_wrongly
    if options.json:
        print(msgspec.json.encode(said).decode())
    else:
        print(f"{found.tried} tried, {len(found.allowed_wrongly)} allowed wrongly")
        for line in (*found.allowed_wrongly, *found.refused_wrongly, *found.undecided):
            print(f"  {line}")
    return int(bool(found.allowed_wrongly or found.refused_wrongly or found.undecided))


if __name__ == "__main__":
    sys.exit(main())
