"""What a component says until it decides: that it reads on, then `ready`, and nothing after."""

import pytest

from bus.component import READING, READING_EVERY, Starting


def test_a_component_says_where_it_reads_until_it_is_ready(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[int] = []
    starting = Starting()
    observe = starting.reading(lambda index, subject, body: seen.append(index))
    for index in range(1, 2 * READING_EVERY + 2):
        observe(index, "ws.acme.admin.key", b"")
    starting.ready()
    observe(3 * READING_EVERY, "ws.acme.admin.key", b"")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"reading {READING_EVERY}", f"reading {2 * READING_EVERY}", "ready"]
    assert lines[0].encode().startswith(READING) and len(seen) == 2 * READING_EVERY + 2
