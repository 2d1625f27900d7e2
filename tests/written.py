"""`python -m tests.written`: keeps an event of each type that has none among those written.

What is there stays as it is, for it stands for what lies in ledgers: see
`tests/unit/schemas/test_written.py`.
"""

import base64
import json
from pathlib import Path
from typing import Final

from hypothesis import HealthCheck, Phase, given, settings

from schemas.events import Event, encode_event
from schemas.jsonschema import body_types
from tests.unit.schemas.arbitrary import events

FILE: Final = Path(__file__).parent / "unit" / "schemas" / "written" / "events-1.jsonl"
_LONGEST: Final = 1_100


def full_payload(name: str) -> bytes:
    """The longest of some arbitrary events of one type: as many of its fields as can be filled."""
    found = [b""]

    @settings(
        max_examples=60,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(events(name))
    def draw(event: Event) -> None:
        payload = encode_event(event)
        if len(found[0]) < len(payload) <= _LONGEST:
            found[0] = payload

    draw()
    return found[0]


def main() -> None:
    """Append what is missing."""
    there = {json.loads(line)["type"] for line in FILE.read_text().splitlines()}
    with FILE.open("a") as file:
        for name in sorted(set(body_types()) - there):
            payload = base64.b64encode(full_payload(name)).decode()
            file.write(json.dumps({"type": name, "payload": payload}) + "\n")
            print(f"{name}: added")


if __name__ == "__main__":
    main()
