"""The demo believes no record of its own: each confirmed effect is looked for at its server."""

import hashlib
import json
from pathlib import Path

import pytest

from bus.decider import Recorded
from console.at_servers import shown
from console.errors import ComponentDied
from schemas.actions import ActionFinished, ActionOutcome, ActionStarted
from schemas.content import plain
from schemas.names import NO_DIGEST, Role
from tests.cases import recorded


def acted(tool: str, outcome: ActionOutcome, result: object = None) -> list[Recorded]:
    started = ActionStarted(proposal=b"p", tool=tool, arguments=NO_DIGEST, layers=())
    finished = ActionFinished(
        action=b"a",
        proposal=b"p",
        outcome=outcome,
        evidence=NO_DIGEST,
        detail="",
        result=plain(result),
    )
    return [
        recorded(started, b"a", Role.SIDECAR, "sidecar"),
        recorded(finished, b"f", Role.SIDECAR, "sidecar"),
    ]


CHANGED = acted("crm.update_deal", ActionOutcome.CONFIRMED)


def logged(root: Path, *keys: str) -> None:
    (root / "crm").mkdir()
    lines = [{"key": key, "method": "PATCH", "path": "/deals/1", "body": "{}"} for key in keys]
    (root / "crm" / "seen.log").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_an_effect_is_shown_as_its_server_logged_it_under_the_action_s_key(tmp_path: Path) -> None:
    logged(tmp_path, "another", CHANGED[0].event.id)
    assert list(shown(tmp_path, CHANGED)) == [("crm.update_deal", "PATCH /deals/1 {}")]


@pytest.mark.parametrize("times", [0, 2])
def test_a_confirmed_effect_that_its_server_shows_not_once_is_a_fault(
    tmp_path: Path, times: int
) -> None:
    logged(tmp_path, *[CHANGED[0].event.id] * times)
    with pytest.raises(ComponentDied, match=r"crm\.update_deal"):
        list(shown(tmp_path, CHANGED))


def test_a_file_is_known_by_its_digest(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "note.txt").write_text("hello")
    digest = hashlib.sha256(b"hello").hexdigest()
    written = acted("files.write", ActionOutcome.CONFIRMED, {"sha256": digest})
    [(tool, words)] = shown(tmp_path, written)
    assert tool == "files.write" and words.startswith("files/note.txt, 5 bytes")


def test_what_is_not_confirmed_or_no_effect_is_not_looked_for(tmp_path: Path) -> None:
    assert list(shown(tmp_path, acted("crm.update_deal", ActionOutcome.UNKNOWN))) == []
    assert list(shown(tmp_path, acted("mail.read", ActionOutcome.CONFIRMED))) == []
