"""`python -m tests.tamper`: manipulations of a ledger, and how many verification finds.

With `--json` one object: `tried`, `found`, `undetectable` (objects `what`, `reason`, `tried`).
Exits 1 where one is neither found nor lawfully unseen, or what
verification calls undoubted was changed.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.tamper.clever import FOUND, UNSEEN
from tests.tamper.files import Disk
from tests.tamper.generated import draw, first_changed, nobody_could, only_a_strays_subject
from tests.tamper.scene import audit

RANDOM = 20_000
ON_DISK = 8
"""One in so many spoils the files themselves."""
LAWFUL = {
    "lawfully unseen": (
        "ends of chains dropped, or another order between producers; neither seal nor checkpoint",
        "each producer's chain is a beginning of what it signed, so its author could have written"
        " just that; a seal or a checkpoint finds it, and in the other two draws of three did",
    ),
    "a stray's subject": (
        "an invalid entry, on record as such, laid on another subject",
        "a leaf is of the body alone. An event's subject follows from its signed payload; an entry"
        " that is no event has no effect wherever it lies, and nobody ever said where that was",
    ),
    "a date": (
        "the manifest's `made_at`",
        "when an export was made is its maker's word, which nothing in the ledger can bear out",
    ),
}
"""Outcome -> what is not seen, and why nobody could."""


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.tamper", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--random", type=int, default=RANDOM, help="how many are generated")
    parser.add_argument("--first", type=int, default=0, help="number of the first of them")
    chosen = parser.parse_args(arguments)
    numbers = range(chosen.first, chosen.first + chosen.random)
    with tempfile.TemporaryDirectory(prefix="anyteam-tamper-") as home:
        disk = Disk(Path(home))
        outcome = Counter(
            disk.tried(number) if number % ON_DISK == 0 else tried(number) for number in numbers
        )
    missed = [name for name, make in FOUND.items() if audit(make()).ok]
    unlawful = [name for name, (make, _) in UNSEEN.items() if not audit(make()).ok]
    unseen = [{"what": name, "reason": why, "tried": 1} for name, (_, why) in UNSEEN.items()]
    for kind, (what, why) in LAWFUL.items():
        if outcome[kind]:
            unseen.append({"what": what, "reason": why, "tried": outcome[kind]})
    verdict = {
        "tried": chosen.random + len(FOUND) + len(UNSEEN),
        "found": outcome["found"] + len(FOUND) - len(missed),
        "undetectable": unseen,
    }
    if chosen.json:
        print(json.dumps(verdict))
    else:
        _say(verdict, len(FOUND) + len(UNSEEN))
    for wrong, names in (("MISSED", missed), ("FOUND AFTER ALL", unlawful)):
        for name in names:
            print(f"{wrong}: {name}", file=sys.stderr)
    for wrong in ("missed", "believed too far"):
        if outcome[wrong]:
            print(f"{wrong.upper()}: {outcome[wrong]} generated", file=sys.stderr)
    bad = missed or unlawful or outcome["missed"] or outcome["believed too far"]
    return 1 if bad else 0


def tried(number: int) -> str:
    """What verification makes of the generated manipulation of this number."""
    trial = draw(number)
    report = audit(trial.held)
    if report.ok and only_a_strays_subject(trial.held):
        return "a stray's subject"
    if report.ok:
        return "lawfully unseen" if trial.bare and nobody_could(trial.held) else "missed"
    if not trial.bare and report.undoubted > first_changed(trial.held):
        return "believed too far"
    return "found"


def _say(verdict: dict[str, object], clever: int) -> None:
    print(f"{verdict['tried']} tried, {clever} of them thought out; {verdict['found']} found")
    unseen = verdict["undetectable"]
    assert isinstance(unseen, list)
    for one in unseen:
        print(f"- {one['what']} ({one['tried']}): {one['reason']}")


if __name__ == "__main__":
    sys.exit(main())
