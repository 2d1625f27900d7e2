"""`python -m tests.escape [--json]`: a runtime that tries everything comes back with nothing."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

from bus.eventloop import quiet_tls_close
from tests.escape.story import Report, played


def main() -> int:
    """Exit 0 where all was tried, nothing succeeded, and every attempt is known as real."""
    parser = argparse.ArgumentParser(prog="python -m tests.escape")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    quiet_tls_close()
    with tempfile.TemporaryDirectory(prefix="anyteam-escape-") as home:
        report = asyncio.run(played(Path(home)))
    if options.json:
        print(msgspec.json.encode(summary(report)).decode())
    else:
        listing(report)
    return 1 if report.succeeded or report.unmade or report.unreal else 0


def summary(report: Report) -> dict[str, object]:
    """The figures, with names where a figure is not zero."""
    return {
        "attempts": len(report.told) + len(report.unmade),
        "succeeded": len(report.succeeded),
        "escapes": report.succeeded,
        "unmade": report.unmade,
        "controls": sum(each.control == "succeeds" for each in report.told),
        "controls_failed": report.unreal,
        "confined_by": report.confined_by,
        "run": report.ended,
    }


def listing(report: Report) -> None:
    """One line an attempt, and what to make of them."""
    for each in report.told:
        mark = "ESCAPED" if each.got else "refused"
        print(f"{mark}  {each.name}: {each.got or each.refusal}")
        print(f"         because {each.why}; without walls: {each.control}")
    for harm in report.harm:
        print(f"ESCAPED  seen from outside: {harm}")
    print(f"\nwalls: {', '.join(report.confined_by) or 'none'}; the run ended: {report.ended}")
    print(f"{len(report.told)} attempts, {len(report.succeeded)} succeeded")
    for name, names in (("of which nothing was heard", report.unmade), ("unreal", report.unreal)):
        if names:
            print(f"{len(names)} {name}: {', '.join(names)}")


if __name__ == "__main__":
    sys.exit(main())
