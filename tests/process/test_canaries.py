"""A credential is in the vault and nowhere else; and the search for it finds what is there."""

import base64
import os
import sys
from pathlib import Path
from subprocess import PIPE, Popen
from urllib.parse import quote

import pytest

from sidecar.connectors.scrubbing import REMOVED, forms, scrubbed
from tests.canaries.__main__ import summary
from tests.canaries.places import Search, may_read_memory
from tests.canaries.story import play
from tests.faults.installation import Running

CANARY = "canary-Zm9v+bar/42?=\u00e9"
WRITTEN = {
    "plain": CANARY,
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "base64 of a text around it": base64.b64encode(f"it is {CANARY}!".encode()).decode(),
    "base64 one further": base64.b64encode(f"it was {CANARY}!".encode()).decode(),
    "base64 for addresses": base64.urlsafe_b64encode(f"x{CANARY}".encode()).decode(),
    "hexadecimal": CANARY.encode().hex(),
    "escaped": quote(CANARY, safe=""),
    "backwards": CANARY[::-1],
}


async def test_no_credential_is_anywhere_but_in_the_vault(tmp_path: Path) -> None:
    search = await play(tmp_path)
    assert search.found == []
    assert search.places > 100


@pytest.mark.parametrize("how", WRITTEN)
def test_the_search_finds_a_canary_however_it_is_written(how: str, tmp_path: Path) -> None:
    search = Search(["another-canary", CANARY])
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_text("x" * 100 + WRITTEN[how] + "y" * 100)
    search.files(tmp_path)
    assert [one.canary for one in search.found] == [1]


def test_the_search_finds_a_canary_that_two_pieces_share() -> None:
    search = Search([CANARY])
    data = CANARY.encode()
    search.look("here", b"x" * 50 + data[:9], data[9:] + b"y")
    search.look("there", data[:9], b"x", data[9:])
    assert [one.place for one in search.found] == ["here"]
    counts = summary(search)
    assert (counts["places"], counts["found"]) == (2, 1)


def test_the_search_finds_a_canary_in_a_processs_memory() -> None:
    program = (
        "import sys; held = sys.stdin.readline(); print('ready', flush=True); sys.stdin.read()"
    )
    with Popen([sys.executable, "-c", program], stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(f"{CANARY}\n")
        process.stdin.flush()
        process.stdout.readline()
        if not may_read_memory(process.pid):
            pytest.skip(f"user {os.getuid()} may not read another process's memory here")
        search = Search([CANARY])
        search.process(Running(process.pid, ("python",), b""), memory=True)
        process.stdin.close()
    assert [one.place for one in search.found] == ["memory of python"]


@pytest.mark.parametrize("how", [how for how in WRITTEN if how != "backwards"])
def test_what_a_far_side_says_back_is_scrubbed_however_it_is_written(how: str) -> None:
    said = {"name": f"a {WRITTEN[how]} b", "list": [WRITTEN[how], 7, None], WRITTEN[how]: True}
    clean = scrubbed(said, forms([CANARY]))
    assert CANARY not in str(clean) and WRITTEN[how] not in str(clean)
    assert REMOVED in clean["name"]
    assert clean["list"][1:] == [7, None]


def test_a_short_secret_scrubs_nothing() -> None:
    assert scrubbed("an apple a day", forms(["a", "appl"])) == "an apple a day"
