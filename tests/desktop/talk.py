"""`python -m tests.desktop.talk HOME FIRST`: an hour of talk comes into the queue, by a clock that
is data, from segment FIRST to the last. It prints the number of each once it is kept, and waits for
a line before the next, so that whoever kills it knows what it has said to be kept.
"""

import sys
import time
from pathlib import Path

from desktop_agent.capture.messages import Segment
from desktop_agent.dictating import transcript
from desktop_agent.enrolled import enrolled_in
from desktop_agent.queue import opened
from schemas.captures import CaptureStopped
from schemas.names import SECOND, Classification

SEGMENTS = 120
HOUR_NS = 3600 * SECOND


def said(number: int) -> str:
    """What is said in a segment."""
    return f"Segment {number} of [PERSON_YTJVMD3R]."


def main() -> int:
    """Talk to the end."""
    home, first = Path(sys.argv[1]), int(sys.argv[2])
    enrolled, began = enrolled_in(home), time.time_ns()
    with opened(home) as queue:
        capture = queue.begin("default device", "all agreed", began)
        for number in range(first, SEGMENTS + 1):
            heard = Segment(
                number=number,
                start_ms=number * 30_000,
                end_ms=number * 30_000 + 9_000,
                text=said(number),
                masked={"person": 1},
                classification=Classification.CONFIDENTIAL,
            )
            at = began + number * HOUR_NS // SEGMENTS
            queue.note(transcript(heard, capture, number - first + 1, "rep ann"), at)
            queue.release(enrolled, at)
            print(number, flush=True)
            if number < SEGMENTS and not sys.stdin.readline():
                return 1
        queue.note(CaptureStopped(capture=capture), began + HOUR_NS)
        queue.release(enrolled, began + HOUR_NS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
