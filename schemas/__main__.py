"""`python -m schemas [--check] [--out FOLDER]`: write the JSON Schemas, or check them.

The folder is generated and belongs to no commit. `--check` writes nothing and names each
file that is missing, differs, or describes no event type any more.
"""

import argparse
import sys
from pathlib import Path

from schemas.jsonschema import BASE, documents


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 where the folder is as generated, 1 where `--check` finds a difference."""
    parser = argparse.ArgumentParser(prog="python -m schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only, write nothing")
    parser.add_argument("--out", type=Path, default=Path("schemas/json"), metavar="FOLDER")
    options = parser.parse_args(arguments)
    folder: Path = options.out
    wanted = documents()
    present = {path.name: path.read_bytes() for path in folder.glob("*.json")}
    # Only what this command once wrote: the folder may hold files of somebody else's.
    strays = [n for n, found in present.items() if n not in wanted and BASE.encode() in found]
    if options.check:
        stale = strays + [name for name in wanted if present.get(name) != wanted[name]]
        for name in sorted(stale):
            print(f"{folder / name}: not as generated (run: python -m schemas --out {folder})")
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name in strays:
        (folder / name).unlink()
    for name, content in wanted.items():
        (folder / name).write_bytes(content)
    print(f"{len(wanted)} files in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
